import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A file in a folder of its own; `remove` takes the folder away. */
export interface TemporaryFile {
  readonly path: string;
  write(text: string): void;
  remove(): void;
}

export function temporaryFile(text: string): TemporaryFile {
  const path = join(mkdtempSync(join(tmpdir(), "sluice-file-")), "file");
  writeFileSync(path, text);
  return {
    path,
    write: (next) => writeFileSync(path, next),
    remove: () => rmSync(dirname(path), { recursive: true, force: true }),
  };
}
