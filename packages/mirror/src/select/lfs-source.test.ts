import { type CommitId, encodePath, type ObjectId, SluiceError, type Source } from "@sluice/core";
import { type MemorySource, memorySource } from "@sluice/core/testing";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { type Bench, bench } from "../test-bench.ts";
import { lfsMemory } from "./lfs-memory.ts";
import { withoutLfs } from "./lfs-source.ts";

const pointer = (seed: string) =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${seed.repeat(64)}\nsize 12345\n`;
const LFS = "*.bin filter=lfs diff=lfs merge=lfs -text\n";

/** Names the calls that cost something. */
function counted(source: MemorySource): { source: Source; calls: string[] } {
  const calls: string[] = [];
  const named = new Map<ObjectId, string>();
  const seen: Source = {
    ...source,
    async tree(commit, signal) {
      calls.push("tree");
      const files = await source.tree(commit, signal);
      for (const { oid, path } of files) named.set(oid, path);
      return files;
    },
    blobs: {
      ...source.blobs,
      async *read(oids, signal) {
        for (const oid of oids) calls.push(`read ${named.get(oid) ?? "new"}`);
        yield* source.blobs.read(oids, signal);
      },
    },
  };
  return { source: seen, calls };
}

async function kinds(source: Source, commit: CommitId): Promise<Record<string, string>> {
  return Object.fromEntries((await source.tree(commit)).map(({ path, kind }) => [path, kind]));
}

async function flips(source: Source, from: CommitId, to: CommitId): Promise<string[]> {
  const changes = await source.changes(from, to);
  return changes.map((one) => `${one.path}: ${one.from?.kind ?? "-"} → ${one.to?.kind ?? "-"}`).sort();
}

describe("a source without its pointers of Git LFS", () => {
  it("names exactly the files that are given to Git LFS and are pointers", async () => {
    const source = memorySource();
    const commit = source.push({
      ".gitattributes": LFS,
      "model.bin": pointer("a"),
      "real.bin": "this was committed without the filter",
      "empty.bin": "",
      "text.yaml": pointer("a"),
      "apps/.gitattributes": "*.dat filter=lfs\nkept.bin -filter\n",
      "apps/web.dat": pointer("b"),
      "apps/kept.bin": pointer("c"),
      "web.dat": pointer("b"),
    });
    expect(await kinds(withoutLfs(source), commit)).toEqual({
      ".gitattributes": "file",
      "model.bin": "lfs",
      "real.bin": "file",
      "empty.bin": "file",
      "text.yaml": "file",
      "apps/.gitattributes": "file",
      "apps/web.dat": "lfs",
      "apps/kept.bin": "file",
      "web.dat": "file",
    });
  });

  it("reads nothing, and lists no tree for a change, where there is no .gitattributes", async () => {
    const memory = memorySource();
    const { source, calls } = counted(memory);
    const seen = withoutLfs(source);
    const first = memory.push({ "a.bin": pointer("a") });
    const second = memory.push({ "a.bin": pointer("b") });
    const third = memory.push({ "b.bin": pointer("b") });
    await seen.tree(first);
    expect(await flips(seen, first, second)).toEqual(["a.bin: file → file"]);
    expect(await flips(seen, second, third)).toEqual(["a.bin: file → -", "b.bin: - → file"]);
    expect(calls).toEqual(["tree"]);
  });

  it("reads a .gitattributes once, and of changed files only those that may be pointers", async () => {
    const memory = memorySource();
    const { source, calls } = counted(memory);
    const seen = withoutLfs(source);
    const files = { ".gitattributes": LFS, "a.bin": pointer("a"), "b.bin": pointer("b"), c: "1" };
    const first = memory.push(files);
    await seen.tree(first);
    expect(calls.splice(0)).toEqual(["tree", "read .gitattributes", "read a.bin", "read b.bin"]);
    await seen.tree(first);
    expect(calls.splice(0)).toEqual(["tree"]);
    const second = memory.push({ ...files, "a.bin": pointer("c"), c: "2" });
    expect(await flips(seen, first, second)).toEqual(["a.bin: lfs → lfs", "c: file → file"]);
    expect(calls.splice(0)).toEqual(["read new"]);
  });

  it("takes a file that is too large to be read for no pointer", async () => {
    const memory = memorySource();
    const large = "x".repeat(2000);
    const source: Source = {
      ...memory,
      blobs: {
        async *read(oids) {
          for await (const bytes of memory.blobs.read(oids)) {
            if (bytes.byteLength > 1500) throw new SluiceError("FILE_TOO_LARGE", "it is too large");
            yield bytes;
          }
        },
      },
    };
    const files = { "a.bin": large, "b.bin": pointer("b"), "c.bin": `${large}c`, "d.bin": pointer("d") };
    const commit = memory.push({ ".gitattributes": LFS, ...files });
    expect(await kinds(withoutLfs(source), commit)).toEqual({
      ".gitattributes": "file",
      "a.bin": "file",
      "b.bin": "lfs",
      "c.bin": "file",
      "d.bin": "lfs",
    });
  });

  it("lists one tree for a change between two commits it has never seen, and none where another source has", async () => {
    const memory = memorySource();
    const { source, calls } = counted(memory);
    const [first, second] = [memory.push({ a: "1" }), memory.push({ a: "2" })];
    const shared = lfsMemory();
    await withoutLfs(source, { memory: shared }).changes(first, second);
    await withoutLfs(source, { memory: shared }).changes(second, first);
    expect(calls).toEqual(["tree"]);
  });

  it("tells the files whose kind a .gitattributes changes, though they stay as they are", async () => {
    const source = memorySource();
    const files = { "a.bin": pointer("a"), "b.bin": "no pointer", "c.txt": pointer("a") };
    const before = source.push(files);
    const after = source.push({ ...files, ".gitattributes": LFS });
    const seen = withoutLfs(source);
    expect(await flips(seen, before, after)).toEqual([".gitattributes: - → file", "a.bin: file → lfs"]);
    expect(await flips(seen, after, before)).toEqual([".gitattributes: file → -", "a.bin: lfs → file"]);
  });

  it("heeds the .gitattributes above its root, and their changes", async () => {
    const source = memorySource();
    const [attributes] = await source.tree(source.push({ x: "/live/*.bin filter=lfs\n" }));
    const before = source.push({ "a.bin": pointer("a"), "deep/b.bin": pointer("b") });
    const after = source.push({ "a.bin": pointer("a"), "deep/b.bin": pointer("b"), c: "" });
    const higher = [{ oid: attributes?.oid as ObjectId, below: encodePath("live") }];
    const seen = withoutLfs(source, { above: async (commit) => (commit === after ? higher : []) });
    expect(await kinds(seen, after)).toEqual({ "a.bin": "lfs", "deep/b.bin": "file", c: "file" });
    expect(await flips(seen, before, after)).toEqual(["a.bin: file → lfs", "c: - → file"]);
  });

  it("has the changes that its trees have, whatever happened to the .gitattributes", async () => {
    const attributes = fc.constantFrom(
      LFS,
      "*.bin -filter\n",
      "a.* filter=lfs\n",
      "* text\n",
      "**/a.* filter=lfs",
    );
    const content = fc.constantFrom(pointer("a"), pointer("b"), "plain");
    const files = fc.record(
      {
        ".gitattributes": attributes,
        "d/.gitattributes": attributes,
        "a.bin": content,
        "d/a.bin": content,
        "d/e/b.bin": content,
        "d/a.txt": content,
      },
      { requiredKeys: [] },
    );
    const history = fc.array(files, { minLength: 2, maxLength: 5 });
    const steps = fc.array(fc.tuple(fc.nat(4), fc.nat(4)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(history, steps, async (trees, moves) => {
        const source = memorySource();
        const commits = trees.map((one) => source.push(one as Record<string, string>));
        const at = (index: number) => commits[index % commits.length] as CommitId;
        const seen = withoutLfs(source);
        for (const [from, to] of moves) {
          const state = await stateOf(withoutLfs(source), at(from));
          for (const change of await seen.changes(at(from), at(to))) {
            expect(state.get(change.path)).toEqual(change.from);
            expect(change.from).not.toEqual(change.to);
            if (change.to) state.set(change.path, change.to);
            else state.delete(change.path);
          }
          expect(state).toEqual(await stateOf(withoutLfs(source), at(to)));
        }
      }),
      { numRuns: 150 },
    );
  });
});

async function stateOf(source: Source, commit: CommitId) {
  return new Map((await source.tree(commit)).map((file) => [file.path, file]));
}

describe("a mirror of a source without its pointers of Git LFS", () => {
  let one: Bench;
  afterEach(async () => {
    expect(one.mixes).toEqual([]);
    await one.stop();
  });

  it("leaves a pointer out and names it, removes what becomes one, and brings it once it is a file again", async () => {
    one = bench({}, (source) => ({ source: withoutLfs(source) }));
    one.source.push({ a: "1", "m.bin": pointer("a") });
    await one.settle();
    expect(one.files()).toEqual({ a: "1", "m.bin": pointer("a") });
    one.source.push({ a: "1", "m.bin": pointer("a"), ".gitattributes": LFS });
    await one.settle();
    expect(one.files()).toEqual({ a: "1", ".gitattributes": LFS });
    one.source.push({ a: "1", "m.bin": "real", ".gitattributes": LFS });
    await one.settle();
    expect(one.files()).toEqual({ a: "1", ".gitattributes": LFS, "m.bin": "real" });
    expect(one.sink.of("mirror.skipped").map(({ files, why }) => ({ files, why }))).toEqual([
      {
        files: ["m.bin"],
        why: "pointers of Git LFS are not mirrored, and the files they stand for are not fetched",
      },
    ]);
  });
});
