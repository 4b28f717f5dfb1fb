import { createHash } from "node:crypto";
import type { RawKey, RawMirrored } from "./histories-mirror.ts";
import { ENVIRONMENT } from "./histories-mirror.ts";

export interface Expected {
  readonly commit: string;
  /** By the path's spelling in the KV. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** The keys of others, as they were planted. */
  readonly neighbours: ReadonlyMap<string, RawKey>;
  readonly prefix: string;
}

/** What is wrong with a mirrored environment, in words; empty: nothing. Its marker, its files and everything beside them. */
export function differences(seen: RawMirrored, expected: Expected): string[] {
  const { marker } = seen;
  const { commit, files } = expected;
  const problems: string[] = [];
  if (marker?.state !== "synced") problems.push(`the marker's state is ${marker?.state}`);
  if (marker?.revision !== `main@sha1:${commit}`)
    problems.push(`the marker says ${marker?.revision}, not ${commit}`);
  if (marker?.files !== files.size)
    problems.push(`the marker counts ${marker?.files} files of ${files.size}`);
  if (marker?.digest !== digestOf(files))
    problems.push("the marker's digest is not that of the commit's files");
  return [...problems, ...fileDifferences(seen.files, files), ...otherDifferences(seen, expected)];
}

function fileDifferences(seen: ReadonlyMap<string, Buffer>, files: ReadonlyMap<string, Buffer>): string[] {
  const problems = [...seen.keys()]
    .filter((path) => !files.has(path))
    .map((path) => `${path} should not be there`);
  for (const [path, bytes] of files) {
    const there = seen.get(path);
    if (!there) problems.push(`${path} is missing`);
    else if (!there.equals(bytes))
      problems.push(`${path} has ${there.length} other bytes than its ${bytes.length}`);
  }
  return problems;
}

/** Beside its files and its marker a mirror may have its lock and records of changes, and nothing else. */
function otherDifferences({ others }: RawMirrored, { neighbours, prefix, commit }: Expected): string[] {
  const problems: string[] = [];
  for (const [key, { value, index }] of neighbours) {
    const now = others.get(key);
    if (!now?.value.equals(value) || now.index !== index) problems.push(`the neighbour ${key} was touched`);
  }
  const changes = `${prefix}${ENVIRONMENT}/changes/`;
  for (const key of others.keys()) {
    const ours =
      key === `${prefix}locks/${ENVIRONMENT}/mirror` || /^[0-9a-f]{40}$/.test(key.replace(changes, ""));
    if (!ours && !neighbours.has(key)) problems.push(`${key} came from nowhere`);
  }
  if (!others.has(`${changes}${commit}`)) problems.push("there is no record of what the commit changed");
  return problems;
}

/** As the reference of the marker describes it, written a second time. */
export function digestOf(files: ReadonlyMap<string, Buffer>): string {
  const sum = Buffer.alloc(32);
  for (const [path, bytes] of files) {
    const oid = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
    const one = createHash("sha256").update(`${path}\0${oid}`).digest();
    for (const [at, byte] of one.entries()) sum[at] = (sum[at] ?? 0) ^ byte;
  }
  return sum.toString("hex");
}
