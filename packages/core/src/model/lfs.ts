const FIRST_LINE = Buffer.from("version https://git-lfs.github.com/spec/");
/** A pointer is a handful of short lines; Git LFS itself takes nothing longer for one. */
const LONGEST = 1024;

/**
 * True for the small text that Git LFS commits in place of a file: the real content lies on another server and is never
 * fetched. The format: github.com/git-lfs/git-lfs, docs/spec.md.
 */
export function isLfsPointer(bytes: Uint8Array): boolean {
  if (bytes.byteLength >= LONGEST || bytes.byteLength < FIRST_LINE.length) return false;
  if (!FIRST_LINE.equals(bytes.subarray(0, FIRST_LINE.length))) return false;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  return /\noid \w+:[0-9a-f]+(\n|$)/.test(text);
}
