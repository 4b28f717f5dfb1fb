import type { CommitId, FilePath, ObjectId, Source, TreeFile } from "@sluice/core";
import { type FoundPlaces, findPlaces } from "./edit/find-places.ts";
import { POLICY_FILE } from "./policy/parse-policies.ts";

/** A file that names an image there is a policy for. */
export interface ScannedFile {
  readonly path: FilePath;
  readonly oid: ObjectId;
  readonly text: string;
  readonly found: FoundPlaces;
}

/** The files of one commit that name images, found at a cost that follows what changed since the commit before. */
export interface Scan {
  readonly commit: CommitId;
  /** The images that were looked for: their canonical names, sorted. */
  readonly wanted: string;
  readonly files: ReadonlyMap<FilePath, ScannedFile>;
}

export interface ScanOptions {
  readonly source: Source;
  readonly head: CommitId;
  /** Canonical names of the images to look for. */
  readonly names: readonly string[];
  /** What the scan before found. */
  readonly before: Scan | undefined;
}

const JOB_FILE = /\.(ya?ml|json)$/i;

/** Reads the files that may name one of the images; whatever else there is costs no more than its bytes. */
export async function scan({ source, head, names, before }: ScanOptions, signal: AbortSignal): Promise<Scan> {
  const wanted = [...names].sort().join("\n");
  if (before?.commit === head && before.wanted === wanted) return before;
  const files = new Map(before?.wanted === wanted ? before.files : []);
  const toRead: TreeFile[] = [];
  if (names.length > 0 && before?.wanted === wanted) {
    for (const { path, to } of await source.changes(before.commit, head, signal)) {
      files.delete(path);
      if (to && isJobFile(to)) toRead.push(to);
    }
  } else if (names.length > 0) toRead.push(...(await source.tree(head, signal)).filter(isJobFile));
  // Every reference holds the last part of its image's name.
  const parts = names.map((name) => name.slice(name.lastIndexOf("/") + 1));
  let at = 0;
  for await (const bytes of source.blobs.read(
    toRead.map(({ oid }) => oid),
    signal,
  )) {
    const { path, oid } = toRead[at++] as TreeFile;
    const text = textOf(bytes);
    if (text === undefined || !parts.some((part) => text.includes(part))) continue;
    const found = findPlaces(text);
    if (found.places.length + found.refused.length > 0) files.set(path, { path, oid, text, found });
  }
  return { commit: head, wanted, files };
}

function isJobFile({ path, kind }: TreeFile): boolean {
  return kind === "file" && path !== POLICY_FILE && JOB_FILE.test(path);
}

/** Undefined: it is no text, and no job file. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
