import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommitId, commitId } from "@sluice/core";

/** What stands at a path: a plain file's content, or a mode with a content or (for submodules) an id. */
export type ScratchFile = string | Buffer | { readonly mode: string; readonly content: string };

export interface ScratchRepository {
  readonly path: string;
  git(...args: string[]): string;
  /** Makes a commit of exactly these files and moves the branch there. Paths are bytes, one per character. */
  commit(files: Readonly<Record<string, ScratchFile>>, branch?: string): CommitId;
  /** Makes a commit of a tree object of exactly these bytes, sound or not. */
  rawCommit(tree: Buffer): CommitId;
  /** Makes every object that is in a pack a file of its own. */
  unpack(): void;
  /** Processes of ours whose command line holds the text. */
  childrenOf(pid: number, text: string): number[];
  remove(): void;
}

/** A bare repository in a temporary folder, filled by `git fast-import`. */
export function scratchRepository(): ScratchRepository {
  const path = mkdtempSync(join(tmpdir(), "sluice-git-"));
  const git = (args: readonly string[], input?: Buffer) =>
    execFileSync("git", ["-C", path, ...args], {
      input: input ?? "",
      stdio: ["pipe", "pipe", "pipe"],
      maxBuffer: 1e9,
    })
      .toString()
      .trimEnd();
  git(["init", "--quiet", "--bare", "--initial-branch=main"]);
  return {
    path,
    git: (...args) => git(args),
    commit(files, branch = "main") {
      git(["fast-import", "--quiet", "--force"], Buffer.concat(importStream(files, branch)));
      return commitId(git(["rev-parse", `refs/heads/${branch}`]));
    },
    rawCommit(tree) {
      const id = git(["hash-object", "-t", "tree", "-w", "--stdin", "--literally"], tree);
      const who = "A <a@example.test> 1700000000 +0000";
      const text = `tree ${id}\nauthor ${who}\ncommitter ${who}\n\nraw\n`;
      return commitId(
        git(["hash-object", "-t", "commit", "-w", "--stdin", "--literally"], Buffer.from(text)),
      );
    },
    unpack() {
      const packs = join(path, "objects", "pack");
      for (const name of readdirSync(packs).filter((one) => one.endsWith(".pack"))) {
        const bytes = readFileSync(join(packs, name));
        rmSync(join(packs, name));
        rmSync(join(packs, name.replace(/pack$/, "idx")));
        git(["unpack-objects", "-q"], bytes);
      }
    },
    childrenOf(pid, text) {
      const table = execFileSync("ps", ["-e", "-o", "pid=,ppid=,args="]).toString().trim().split("\n");
      const rows = table.map((line) => line.trim().split(/\s+/));
      return rows
        .filter(([, parent, ...args]) => parent === String(pid) && args.join(" ").includes(text))
        .map(([child]) => Number(child));
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

function importStream(files: Readonly<Record<string, ScratchFile>>, branch: string): Buffer[] {
  const parts = [
    `commit refs/heads/${branch}\nauthor Ada Löwe <ada@example.test> 1700000000 +0100\n`,
    `committer Bob <bob@example.test> 1700000100 +0000\n${data("A subject\n\nand a body\n")}deleteall\n`,
  ].map((text) => Buffer.from(text));
  for (const [path, file] of Object.entries(files)) {
    const { mode, content } =
      typeof file === "string" || Buffer.isBuffer(file) ? { mode: "100644", content: file } : file;
    if (mode === "160000") parts.push(Buffer.from(`M ${mode} ${content} ${quoted(path)}\n`));
    else {
      const bytes = Buffer.from(content as string);
      parts.push(
        Buffer.from(`M ${mode} inline ${quoted(path)}\ndata ${bytes.length}\n`),
        bytes,
        Buffer.from("\n"),
      );
    }
  }
  return parts;
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}`;
}

function quoted(path: string): string {
  const octal = (char: string) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`;
  return `"${path.replace(/[^A-Za-z0-9/._-]/g, octal)}"`;
}
