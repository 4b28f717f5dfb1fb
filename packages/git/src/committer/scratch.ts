import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Runs work with a bare repository of no content of its own that sees another's objects. What is made in it is not in the other
 * before it is pushed there, and gone with it if it never is.
 */
export async function withScratch<T>(gitDir: string, work: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), "sluice-commit-"));
  try {
    await mkdir(join(scratch, "objects", "info"), { recursive: true });
    await mkdir(join(scratch, "refs"));
    await writeFile(join(scratch, "HEAD"), "ref: refs/heads/scratch\n");
    await writeFile(join(scratch, "config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n");
    await writeFile(join(scratch, "objects", "info", "alternates"), `${join(gitDir, "objects")}\n`);
    return await work(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
