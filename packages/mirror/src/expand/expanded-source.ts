import { encodePath, type FilePath, type ObjectId, type Source, type TreeFile } from "@sluice/core";
import { type Expansions, expansions } from "./expansions.ts";
import type { ExpandRules } from "./rules.ts";
import { changedKeys, type Snapshot, wholeSnapshot } from "./snapshot.ts";

/**
 * The source as the keys its files become: each key is a file with the key as its path and the value as its content. Contents
 * that are changed on the way have ids of their own, which `read` knows from the `tree` or `changes` that named them.
 * What is no plain file keeps its path of the repository, so that it can be told that it is skipped.
 *
 * `tree` and `changes` throw FILE_INVALID, with the problems that `problemsOf` tells, for a commit whose files cannot be
 * expanded under the rules, or of which two become the same key. What a commit before it was like does not matter.
 */
export function expandedSource(source: Source, rules: ExpandRules): Source {
  const expanded = expansions(source, rules);
  const context = { source, rules, expansions: expanded, common: commonPath(rules) };
  let last: Snapshot | undefined;
  return {
    ...source,
    async tree(commit, signal) {
      expanded.age();
      const tree = await source.tree(commit, signal);
      last = await wholeSnapshot(context, commit, tree, { strict: true, signal });
      return [...keysOf(last), ...tree.filter((file) => file.kind !== "file")];
    },
    async changes(from, to, signal) {
      // It is moved in place, so nobody else may start from it meanwhile; a failed answer leaves it as it was.
      const known = last;
      last = undefined;
      let next = known;
      try {
        const { changes, snapshot } = await changedKeys(context, { from, to, known }, signal);
        next = snapshot;
        return changes;
      } finally {
        last = next;
      }
    },
    // Without `sizes`: a value that is computed has no length before it is.
    blobs: { read: (oids, signal) => readMixed(source, expanded, oids, signal) },
  };
}

function commonPath({ commonProperties }: ExpandRules): FilePath | undefined {
  return commonProperties === undefined ? undefined : encodePath(commonProperties);
}

function* keysOf({ keys }: Snapshot): Iterable<TreeFile> {
  for (const { path, oid } of keys.values()) yield { path, oid, kind: "file" };
}

/** Values that were computed, and contents of the repository between them, in the order asked. */
async function* readMixed(
  source: Source,
  expanded: Expansions,
  oids: readonly ObjectId[],
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  const computed = new Set(oids.filter((oid) => expanded.knows(oid)));
  const plain = source.blobs
    .read(
      oids.filter((oid) => !computed.has(oid)),
      signal,
    )
    [Symbol.asyncIterator]();
  try {
    for (const oid of oids) {
      if (computed.has(oid)) yield await expanded.value(oid, signal);
      else {
        const next = await plain.next();
        if (next.done) return;
        yield next.value;
      }
    }
  } finally {
    await plain.return?.();
  }
}
