import { createHash } from "node:crypto";
import { SluiceError } from "../errors.ts";
import { blobId } from "../model/digest.ts";
import { type CommitId, commitId, type ObjectId } from "../model/ids.ts";
import type { CommitInfo } from "../model/marker.ts";
import { encodePath, type FilePath } from "../model/path.ts";
import type { Blobs, Source, TreeChange, TreeFile } from "../ports/source.ts";

/** A repository in memory: commits are whole sets of files. */
export interface MemorySource extends Source {
  /** Makes a commit of exactly these files (path to text or bytes) and moves the branch there. */
  push(files: Readonly<Record<string, string | Uint8Array>>): CommitId;
  /** Moves the branch to a commit made before, or (undefined) deletes it. */
  reset(commit: CommitId | undefined): void;
  /** A test may put others in their place. */
  blobs: Blobs;
  /** While set, every member throws GIT_FAILED with this sentence. */
  failing: string | undefined;
}

/** A branch of a repository in memory; every push is a commit of its own, even of the same files. */
export function memorySource(branch = "main"): MemorySource {
  const commits = new Map<CommitId, Map<FilePath, TreeFile>>();
  const contents = new Map<ObjectId, Uint8Array>();
  const watchers = new Set<() => void>();
  let head: CommitId | undefined;

  function guard(signal: AbortSignal | undefined) {
    signal?.throwIfAborted();
    if (source.failing) throw new SluiceError("GIT_FAILED", source.failing);
  }
  function filesOf(commit: CommitId, signal: AbortSignal | undefined) {
    guard(signal);
    const files = commits.get(commit);
    if (!files) throw new SluiceError("GIT_OBJECT_MISSING", `no commit ${commit}`);
    return files;
  }
  function contentOf(oid: ObjectId, signal: AbortSignal | undefined) {
    guard(signal);
    const bytes = contents.get(oid);
    if (!bytes) throw new SluiceError("GIT_OBJECT_MISSING", `no object ${oid}`);
    return bytes;
  }
  function move(commit: CommitId | undefined) {
    head = commit;
    for (const notify of watchers) notify();
  }

  const source: MemorySource = {
    branch,
    failing: undefined,
    push(files) {
      const tree = treeOf(files, contents);
      const commit = commitOf(tree, commits.size);
      commits.set(commit, tree);
      move(commit);
      return commit;
    },
    reset: move,
    async head(signal) {
      guard(signal);
      return head;
    },
    tree: async (commit, signal) => [...filesOf(commit, signal).values()],
    changes: async (from, to, signal) => difference(filesOf(from, signal), filesOf(to, signal)),
    blobs: {
      async *read(oids, signal) {
        for (const oid of oids) yield contentOf(oid, signal);
      },
      async sizes(oids, signal) {
        guard(signal);
        return oids.map((oid) => contentOf(oid, signal).byteLength);
      },
    },
    async describe(commit, signal) {
      filesOf(commit, signal);
      return described(commit);
    },
    watch: (signal) => changesSeen(watchers, signal),
    async close() {},
  };
  return source;
}

function treeOf(
  files: Readonly<Record<string, string | Uint8Array>>,
  blobs: Map<ObjectId, Uint8Array>,
): Map<FilePath, TreeFile> {
  const tree = new Map<FilePath, TreeFile>();
  for (const [path, content] of Object.entries(files)) {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const file: TreeFile = { path: encodePath(path), oid: blobId(bytes), kind: "file" };
    blobs.set(file.oid, bytes);
    tree.set(file.path, file);
  }
  return tree;
}

function commitOf(tree: ReadonlyMap<FilePath, TreeFile>, number: number): CommitId {
  const seed = `${number}:${[...tree.values()].map((file) => file.path + file.oid).join()}`;
  return commitId(createHash("sha1").update(seed).digest("hex"));
}

function described(commit: CommitId): CommitInfo {
  const subject = `commit ${commit.slice(0, 8)}`;
  return { commit, author: "A. Person", email: "person@example.test", at: "2026-01-01T00:00:00Z", subject };
}

function difference(from: Map<FilePath, TreeFile>, to: Map<FilePath, TreeFile>): TreeChange[] {
  const changes: TreeChange[] = [];
  for (const path of new Set([...from.keys(), ...to.keys()])) {
    const before = from.get(path);
    const after = to.get(path);
    if (before?.oid === after?.oid && before?.kind === after?.kind) continue;
    changes.push({ path, ...(before ? { from: before } : {}), ...(after ? { to: after } : {}) });
  }
  return changes;
}

async function* changesSeen(watchers: Set<() => void>, signal: AbortSignal): AsyncIterable<void> {
  let pending = true;
  let wake: () => void = () => undefined;
  const notify = () => {
    pending = true;
    wake();
  };
  watchers.add(notify);
  signal.addEventListener("abort", notify, { once: true });
  try {
    while (!signal.aborted) {
      if (!pending) await new Promise<void>((resolve) => (wake = resolve));
      pending = false;
      if (!signal.aborted) yield;
    }
  } finally {
    watchers.delete(notify);
    signal.removeEventListener("abort", notify);
  }
}
