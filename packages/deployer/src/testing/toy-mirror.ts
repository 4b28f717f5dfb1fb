import { createHash } from "node:crypto";
import {
  blobId,
  type ChangesRecord,
  commitId,
  EMPTY_DIGEST,
  encodePath,
  encodeRecord,
  type FileChange,
  type FilePath,
  type KvLayout,
  type ObjectId,
  type Revision,
  type RevisionMarker,
  revisionOf,
  toggleFiles,
} from "@sluice/core";
import type { MemoryKv } from "@sluice/core/testing";

/** Writes revisions to a KV as the mirror does. */
export interface ToyMirror {
  /** Makes exactly these files (path to text) the environment's revision. @param skipped as in the marker. @returns it. */
  push(files: Readonly<Record<string, string>>, skipped?: RevisionMarker["skipped"]): Revision;
  /** Writes the marker of the current revision as `applying`, as a mirror does in the middle of a large commit. */
  beginApplying(): void;
  /** Leaves records of changes out from now on, as a mirror does whose records ran out. */
  forgetChanges: boolean;
}

export function toyMirror(kv: MemoryKv, layout: KvLayout): ToyMirror {
  let files = new Map<FilePath, string>();
  let marker: RevisionMarker | undefined;
  let pushes = 0;

  function write(ops: Iterable<readonly [key: string, value: Uint8Array | undefined]>) {
    for (const [key, value] of ops)
      if (value) kv.set(key, value);
      else kv.unset(key);
  }

  const mirror: ToyMirror = {
    forgetChanges: false,
    push(wanted, skipped) {
      pushes += 1;
      const now = new Map(Object.entries(wanted).map(([path, text]) => [encodePath(path), text]));
      const commit = commitId(createHash("sha1").update(`${pushes}`).digest("hex"));
      const revision = revisionOf("main", commit);
      const changes = difference(files, now);
      const digest = toggleFiles(
        EMPTY_DIGEST,
        [...now].map(([path, text]) => ({ path, oid: oidOf(text) })),
      );
      const previous = marker?.revision;
      const at = "2026-01-01T00:00:00Z";
      const about = { commit, author: "A", email: "a@example.test", at, subject: `push ${pushes}` };
      const record: ChangesRecord = { revision, previous, changes, commit: about };
      marker = {
        state: "synced",
        revision,
        previous,
        files: now.size,
        digest,
        at,
        ...(skipped ? { skipped } : {}),
      };
      const next = marker;
      files = now;
      write([
        ...changes.map(
          ({ path }) =>
            [layout.file(path), now.has(path) ? Buffer.from(now.get(path) ?? "") : undefined] as const,
        ),
        [layout.change(commit), mirror.forgetChanges ? undefined : encodeRecord(record)],
        [layout.revision, encodeRecord(next)],
      ]);
      return revision;
    },
    beginApplying() {
      if (marker) kv.set(layout.revision, encodeRecord({ ...marker, state: "applying" }));
    },
  };
  return mirror;
}

function oidOf(text: string): ObjectId {
  return blobId(Buffer.from(text));
}

function difference(before: ReadonlyMap<FilePath, string>, now: ReadonlyMap<FilePath, string>): FileChange[] {
  const changes: FileChange[] = [];
  for (const [path, text] of now) {
    const old = before.get(path);
    if (old === undefined) changes.push({ kind: "created", path, oid: oidOf(text) });
    else if (old !== text) changes.push({ kind: "updated", path, oid: oidOf(text) });
  }
  for (const path of before.keys()) if (!now.has(path)) changes.push({ kind: "deleted", path });
  return changes;
}
