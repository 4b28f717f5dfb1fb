import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blobId, type ObjectId, systemClock } from "@sluice/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gitEnvironment } from "../program.ts";
import { type ScratchRepository, scratchRepository } from "../testing/scratch-repository.ts";
import { catFileReader } from "./cat-file.ts";
import { DamagedObject, type ManyBlobs, type ObjectReader } from "./object-reader.ts";
import { readInOrder, sizesInOrder } from "./read-in-order.ts";

const LARGEST = 100_000;
const NOWHERE = "f".repeat(40) as ObjectId;

let repository: ScratchRepository;
let reader: ObjectReader;

beforeEach(() => {
  repository = scratchRepository();
});
afterEach(async () => {
  await reader.close();
  repository.remove();
});

function blob(content: string): ObjectId {
  const input = Buffer.from(content);
  execFileSync("git", ["-C", repository.path, "hash-object", "-w", "--stdin"], { input });
  return blobId(input);
}

/** Cuts the object short, its header left as it was. */
function damage(oid: ObjectId): void {
  const file = join(repository.path, "objects", oid.slice(0, 2), oid.slice(2));
  const whole = execFileSync("cat", [file]);
  rmSync(file, { force: true });
  writeFileSync(file, whole.subarray(0, whole.length / 2));
}

async function many(): Promise<ManyBlobs> {
  return (await reader.many?.()) as ManyBlobs;
}

async function drain(blobs: AsyncIterable<Uint8Array>): Promise<{ texts: string[]; error?: unknown }> {
  const texts: string[] = [];
  try {
    for await (const bytes of blobs) texts.push(Buffer.from(bytes).toString());
  } catch (error) {
    return { texts, error };
  }
  return { texts };
}

/** Text that deflate cannot shorten much, so that half of it is not enough. */
const LONG = Array.from({ length: 3000 }, (_, at) => ((at * 7919) % 9973).toString(36)).join(" ");

describe.each([
  ["since 2.36", true, 1],
  ["before 2.36", false, 2],
])("many blobs read by a git %s", (_, takesCommands, children) => {
  beforeEach(() => {
    reader = catFileReader({
      git: "git",
      takesCommands,
      gitDir: async () => repository.path,
      env: gitEnvironment(),
      clock: systemClock,
      timeoutMs: 30_000,
      largestBytes: () => LARGEST,
    });
  });

  it("come in the order asked, the same one twice, and some measured before", async () => {
    const contents = ["a", "", "ccc", LONG, "e".repeat(LARGEST)];
    const oids = contents.map(blob);
    const [a, none, c, long, most] = oids as [ObjectId, ObjectId, ObjectId, ObjectId, ObjectId];
    expect(await sizesInOrder(reader, [c, none])).toEqual([3, 0]);
    const order = [most, c, a, c, none, long];
    expect(await sizesInOrder(reader, order)).toEqual([LARGEST, 3, 1, 3, 0, LONG.length]);
    expect(await drain(readInOrder(reader, order))).toEqual({
      texts: [contents[4], "ccc", "a", "ccc", "", LONG],
    });
    expect(await drain(readInOrder(reader, []))).toEqual({ texts: [] });
    expect(await sizesInOrder(reader, [])).toEqual([]);
    expect(repository.childrenOf(process.pid, "cat-file")).toHaveLength(children);
  });

  it("fail at one that is too large, of which only the length is told", async () => {
    const [a, big, b] = ["a", "x".repeat(LARGEST + 1), "b"].map(blob) as [ObjectId, ObjectId, ObjectId];
    expect(await sizesInOrder(reader, [a, big, b])).toEqual([1, LARGEST + 1, 1]);
    expect(await drain(readInOrder(reader, [a, big, b]))).toMatchObject({
      texts: ["a"],
      error: { code: "FILE_TOO_LARGE", message: expect.stringContaining(big) },
    });
    // Git says no word of it, however wrong its length was told.
    const read = await (await many()).contents([a, big, b], [1, 1, 1]);
    expect(read.blobs.map(String)).toEqual(["a"]);
    expect(read.failure).toMatchObject({ code: "FILE_TOO_LARGE" });
    expect(await drain(readInOrder(reader, [b]))).toEqual({ texts: ["b"] });
  });

  it("fail at one that is missing, and others are read meanwhile", async () => {
    const [a, b] = ["a", "b"].map(blob) as [ObjectId, ObjectId];
    const failure = { code: "GIT_OBJECT_MISSING", message: expect.stringContaining(NOWHERE) };
    const [sizes, read, others] = await Promise.all([
      sizesInOrder(reader, [a, NOWHERE, b]).catch((error: unknown) => error),
      many().then((blobs) => blobs.contents([a, NOWHERE, b], [1, 1, 1])),
      drain(readInOrder(reader, [b, a])),
    ]);
    expect(sizes).toMatchObject(failure);
    expect(read.blobs.map(String)).toEqual(["a"]);
    expect(read.failure).toMatchObject(failure);
    expect(others).toEqual({ texts: ["b", "a"] });
  });

  it("fail at one that is damaged, on which git dies, and others are read meanwhile", async () => {
    const [a, long, b] = ["a", LONG, "b"].map(blob) as [ObjectId, ObjectId, ObjectId];
    damage(long);
    const [read, others] = await Promise.all([
      many().then((blobs) => blobs.contents([a, long, b], [1, LONG.length, 1])),
      drain(readInOrder(reader, [b, a])),
    ]);
    expect(read.blobs.map(String)).toEqual(["a"]);
    expect(read.failure).toBeInstanceOf(DamagedObject);
    expect(read.failure?.message).toContain(long);
    expect(others).toEqual({ texts: ["b", "a"] });
    expect(await drain(readInOrder(reader, [a, long, b]))).toMatchObject({ texts: ["a"] });
  });

  it("fail at what is no blob", async () => {
    repository.commit({ a: "a" });
    const tree = repository.git("rev-parse", "main^{tree}") as ObjectId;
    const failure = { code: "GIT_FAILED", message: `the object ${tree} is a tree, not a blob` };
    await expect(sizesInOrder(reader, [blob("a"), tree])).rejects.toMatchObject(failure);
    expect((await drain(readInOrder(reader, [tree]))).error).toMatchObject(failure);
    expect(await reader.read(tree)).toMatchObject({ type: "tree" });
  });

  it("come whole although their child is killed in the middle of them", async () => {
    const contents = Array.from({ length: 3000 }, (_, at) => `${at} ${LONG.slice(0, 1000)}`);
    repository.commit(Object.fromEntries(contents.map((text, at) => [`f${at}`, text])));
    const oids = contents.map((text) => blobId(Buffer.from(text)));
    await reader.read(oids[0] as ObjectId);
    const all = drain(readInOrder(reader, oids));
    for (const child of repository.childrenOf(process.pid, "cat-file")) process.kill(child, "SIGKILL");
    const { texts, error } = await all;
    expect(error).toBeUndefined();
    expect(texts.findIndex((text, at) => text !== contents[at])).toBe(-1);
    expect(texts).toHaveLength(3000);
  });

  it("are not asked for by who gave up, nor after it was closed", async () => {
    const oids = ["a", "b"].map(blob);
    const stop = new AbortController();
    const blobs = readInOrder(reader, oids, stop.signal)[Symbol.asyncIterator]();
    expect(await blobs.next()).toMatchObject({ done: false });
    stop.abort(new Error("enough"));
    await expect(blobs.next()).rejects.toThrow("enough");
    await expect(sizesInOrder(reader, oids, stop.signal)).rejects.toThrow("enough");
    await reader.close();
    await expect(sizesInOrder(reader, [NOWHERE])).rejects.toMatchObject({ code: "GIT_FAILED" });
  });
});
