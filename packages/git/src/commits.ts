import { type CommitId, type CommitInfo, type ObjectId, SluiceError } from "@sluice/core";
import type { ObjectReader } from "./objects/object-reader.ts";
import type { TreeStore } from "./trees/tree-store.ts";

interface Commit {
  readonly tree: ObjectId;
  /** The first is the one it continues; others were merged into it. */
  readonly parents: readonly CommitId[];
  readonly info: CommitInfo;
}

/** @throws GIT_OBJECT_MISSING, GIT_FAILED where the object is no commit. */
export async function readCommit(
  reader: ObjectReader,
  commit: CommitId,
  signal?: AbortSignal,
): Promise<Commit> {
  const object = await reader.read(commit as string as ObjectId, signal);
  if (object.type !== "commit")
    throw new SluiceError("GIT_FAILED", `the object ${commit} is a ${object.type}, not a commit`);
  return parseCommit(commit, object.bytes);
}

/**
 * The tree of a folder of a commit; undefined where there is none.
 * @throws GIT_FAILED where a file stands in the folder's place.
 */
export async function folderTree(
  store: TreeStore,
  root: ObjectId,
  folder: string,
  signal?: AbortSignal,
): Promise<ObjectId | undefined> {
  let tree = root;
  let above = "";
  for (const segment of folder.split("/").filter((one) => one !== "")) {
    const name = Buffer.from(segment).toString("latin1");
    const entry = (await store.entries(tree, above, signal)).find((one) => one.name === name);
    if (!entry) return undefined;
    if (entry.kind !== "tree")
      throw new SluiceError("GIT_FAILED", `"${segment}" of the configured folder "${folder}" is no folder`);
    tree = entry.oid;
    above += `${segment}/`;
  }
  return tree;
}

function parseCommit(commit: CommitId, bytes: Buffer): Commit {
  const end = bytes.indexOf("\n\n");
  const headers = bytes.subarray(0, end < 0 ? bytes.length : end).toString("latin1");
  const tree = /^tree ([0-9a-f]{40})$/m.exec(headers)?.[1];
  if (!tree) throw new SluiceError("GIT_FAILED", `the commit ${commit} names no tree`);
  const decode = decoderFor(/^encoding (.+)$/m.exec(headers)?.[1]);
  const text = (latin1: string) => decode(Buffer.from(latin1, "latin1"));
  const [, name = "", email = "", seconds = "0"] = /^author (.*?) ?<([^>\n]*)> (\d+)/m.exec(headers) ?? [];
  const [, committed = seconds] = /^committer .*> (\d+)/m.exec(headers) ?? [];
  const message = decode(end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 2));
  const subject = message.trimStart().split("\n", 1)[0] ?? "";
  return {
    tree: tree as ObjectId,
    parents: [...headers.matchAll(/^parent ([0-9a-f]{40})$/gm)].map(([, id]) => id as CommitId),
    info: {
      commit,
      author: text(name),
      email: text(email),
      at: timeOf(seconds),
      ...(committed === seconds ? {} : { committedAt: timeOf(committed) }),
      subject: subject.trimEnd(),
    },
  };
}

/** A commit may hold any number as its time; what no date can hold becomes the epoch. */
function timeOf(seconds: string): string {
  const at = new Date(Number(seconds) * 1000);
  return (Number.isNaN(at.getTime()) ? new Date(0) : at).toISOString();
}

function decoderFor(encoding: string | undefined): (bytes: Buffer) => string {
  try {
    const decoder = new TextDecoder(encoding ?? "utf-8");
    return (bytes) => decoder.decode(bytes);
  } catch {
    return (bytes) => bytes.toString("utf8");
  }
}
