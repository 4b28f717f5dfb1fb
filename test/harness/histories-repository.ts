import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GitPath } from "./histories-contents.ts";

/** What stands at a path of a tree. A submodule's content is the 40 hex digits of the commit it names. */
export interface Leaf {
  readonly mode: "100644" | "100755" | "120000" | "160000";
  readonly content: Buffer;
}

export type Tree = ReadonlyMap<GitPath, Leaf>;

/** A bare repository that is written without a work tree. */
export interface HistoryRepository {
  readonly folder: string;
  /** Makes a commit of exactly this tree and moves the branch there, whatever it was. @returns the commit's id. */
  commit(tree: Tree, parents: readonly string[]): Promise<string>;
  /** Moves the branch to a commit that is there, or takes it away. */
  move(commit: string | undefined): Promise<void>;
  git(...args: string[]): Promise<string>;
  remove(): Promise<void>;
}

const ENV = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };

export async function historyRepository(branch = "main"): Promise<HistoryRepository> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-history-"));
  const ref = `refs/heads/${branch}`;
  const written = new Set<string>();
  let commits = 0;
  await run(["init", "--quiet", "--bare", `--initial-branch=${branch}`, folder]);
  const git = (args: readonly string[], input?: Buffer) => run(["-C", folder, ...args], input);

  return {
    folder,
    git: (...args) => git(args),
    async commit(tree, parents) {
      const stream = [commitHead(ref, ++commits, parents), ...treeLines(tree, written), "get-mark :1\n"];
      const input = Buffer.concat(
        stream.map((part) => (typeof part === "string" ? Buffer.from(part) : part)),
      );
      return git(["fast-import", "--quiet", "--force"], input);
    },
    async move(commit) {
      await git(commit === undefined ? ["update-ref", "-d", ref] : ["update-ref", ref, commit]);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Without the reset a commit would follow whatever the branch holds. */
function commitHead(ref: string, nth: number, [first, ...others]: readonly string[]): string {
  const who = `A <a@example.test> ${1_700_000_000 + nth} +0000`;
  const parents = [...(first ? [`from ${first}`] : []), ...others.map((one) => `merge ${one}`)];
  const message = `commit ${nth}`;
  const head = `commit ${ref}\nmark :1\ncommitter ${who}\ndata ${message.length}\n${message}\n`;
  return `reset ${ref}\n\n${head}${parents.map((line) => `${line}\n`).join("")}deleteall\n`;
}

/** A blob the repository has is named by its id instead of being sent again. */
function treeLines(tree: Tree, written: Set<string>): (string | Buffer)[] {
  return [...tree].flatMap(([path, { mode, content }]) => {
    if (mode === "160000") return [`M ${mode} ${content.toString()} ${quoted(path)}\n`];
    const oid = createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
    if (written.has(oid)) return [`M ${mode} ${oid} ${quoted(path)}\n`];
    written.add(oid);
    return [`M ${mode} inline ${quoted(path)}\ndata ${content.length}\n`, content, "\n"];
  });
}

function quoted(path: GitPath): string {
  const octal = (char: string) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`;
  return `"${path.replace(/[^A-Za-z0-9/._-]/g, octal)}"`;
}

function run(args: readonly string[], input?: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", args, { env: ENV, stdio: "pipe" });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("latin1").on("data", (text: string) => (stdout += text));
    child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
    child.stdin.on("error", () => undefined).end(input);
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(stdout.trim());
      else reject(new Error(`git ${args.join(" ")} ended with ${code}: ${stderr}`));
    });
  });
}
