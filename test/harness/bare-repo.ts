import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** File contents by path. */
export type Files = Readonly<Record<string, string>>;

/** A bare repository whose branches are set to exactly these files, commit after commit. */
export interface BareRepo {
  readonly folder: string;
  /** @param branch default: `main`. @returns the commit's id. */
  commit(files: Files, branch?: string): string;
  remove(): void;
}

export function bareRepo(): BareRepo {
  const folder = mkdtempSync(join(tmpdir(), "sluice-bare-"));
  const git = (args: readonly string[], input = "") =>
    execFileSync("git", ["-C", folder, ...args], { input, maxBuffer: 64 * 1024 * 1024 })
      .toString()
      .trim();
  git(["init", "--quiet", "--bare", "--initial-branch=main", "."]);
  return {
    folder,
    commit(files, branch = "main") {
      const blobs = Object.entries(files).map(
        ([path, text]) => `M 100644 inline "${path}"\ndata ${Buffer.byteLength(text)}\n${text}\n`,
      );
      const head = `commit refs/heads/${branch}\ncommitter A <a@example.test> 1700000000 +0000\ndata 1\nx\ndeleteall\n`;
      git(["fast-import", "--quiet", "--force"], head + blobs.join(""));
      return git(["rev-parse", `refs/heads/${branch}`]);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
