import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";

export const FILE_BYTES = 1024;
const PER_FOLDER = 100;

/** A bare repository of files of one KiB, and commits on top of it that no branch shows yet. */
export interface MirrorRepository {
  readonly folder: string;
  readonly first: string;
  /** The commit made last. */
  newest(): string;
  /** Makes a commit on top of the newest one that changes and deletes so many files; the branch stays where it is. */
  next(change: { readonly changed?: number; readonly deleted?: number }): Promise<string>;
  /** Moves the branch as Git does it: a new file, renamed over the old one. */
  move(commit: string): Promise<void>;
  remove(): Promise<void>;
}

/** @param files how many; a hundred in each folder. */
export async function mirrorRepository(files: number): Promise<MirrorRepository> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-repo-"));
  execFileSync("git", ["init", "--quiet", "--bare", "--initial-branch=main", folder]);
  let rounds = 0;
  let present = files;
  let newest = await imported(folder, "refs/heads/main", undefined, async (to) => {
    for (let number = 0; number < files; number++) await put(to, pathOf(number), content(number, 0));
  });
  return {
    folder,
    first: newest,
    newest: () => newest,
    async next({ changed = 0, deleted = 0 }) {
      rounds += 1;
      const step = Math.max(1, Math.floor((present - deleted) / Math.max(1, changed)));
      newest = await imported(folder, "refs/bench/next", newest, async (to) => {
        for (let number = 0; number < changed; number++) {
          const at = (number * step + rounds) % (present - deleted);
          await put(to, pathOf(at), content(at, rounds));
        }
        for (let number = present - deleted; number < present; number++) to.write(`D ${pathOf(number)}\n`);
      });
      present -= deleted;
      return newest;
    },
    async move(commit) {
      const ref = join(folder, "refs", "heads", "main");
      await writeFile(`${ref}.lock`, `${commit}\n`);
      await rename(`${ref}.lock`, ref);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export function pathOf(number: number): string {
  return `area-${Math.floor(number / PER_FOLDER)}/config-${number}.yaml`;
}

/** One KiB that differs from file to file and from round to round. */
export function content(number: number, round: number): Buffer {
  return Buffer.from(`# file ${number}, round ${round}\n`.repeat(64)).subarray(0, FILE_BYTES);
}

async function imported(
  folder: string,
  ref: string,
  parent: string | undefined,
  write: (to: Writable) => Promise<void>,
): Promise<string> {
  const args = ["-C", folder, "fast-import", "--quiet", "--force"];
  const child = spawn("git", args, { stdio: ["pipe", "ignore", "inherit"] });
  const ended = once(child, "close");
  child.stdin.write(`commit ${ref}\ncommitter Bench <bench@example.test> 1700000000 +0000\ndata 5\nround\n`);
  if (parent) child.stdin.write(`from ${parent}\n`);
  await write(child.stdin);
  child.stdin.end();
  const [code] = await ended;
  if (code !== 0) throw new Error(`git fast-import ended with ${code}`);
  return execFileSync("git", ["-C", folder, "rev-parse", ref], { encoding: "utf8" }).trim();
}

async function put(to: Writable, path: string, bytes: Buffer): Promise<void> {
  const head = `M 100644 inline ${path}\ndata ${bytes.length}\n`;
  if (!to.write(Buffer.concat([Buffer.from(head), bytes, Buffer.from("\n")]))) await once(to, "drain");
}
