import { type Blobs, blobId, type CommitId, isSluiceError, type Source, type TreeFile } from "@sluice/core";
import { type MemorySource, memorySource } from "@sluice/core/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expandedSource } from "./expanded-source.ts";
import { problemsOf } from "./refused-revision.ts";
import type { ExpandRules } from "./rules.ts";
import { rulesOf } from "./test-rules.ts";

type Files = Record<string, string | Uint8Array>;

/** Every key with its value, read as the mirror would; the ids are checked on the way. */
async function keysAt(source: Source, commit: CommitId): Promise<Record<string, string>> {
  return contentsOf(source, await source.tree(commit));
}

async function contentsOf(source: Source, files: readonly TreeFile[]): Promise<Record<string, string>> {
  const keys: Record<string, string> = {};
  let at = 0;
  for await (const bytes of source.blobs.read(files.map(({ oid }) => oid))) {
    const file = files[at++] as TreeFile;
    expect(blobId(bytes)).toBe(file.oid);
    keys[file.path] = Buffer.from(bytes).toString();
  }
  expect(at).toBe(files.length);
  return keys;
}

async function expanded(files: Files, rules: Partial<ExpandRules>): Promise<Record<string, string>> {
  const source = memorySource();
  return keysAt(expandedSource(source, rulesOf(rules)), source.push(files));
}

describe("an expanded source", () => {
  it("has every file under its own key where nothing is asked for", async () => {
    const files = { "a.json": '{"x":1}', "dir/b c": " 2 \n" };
    expect(await expanded(files, {})).toEqual({ "a.json": '{"x":1}', "dir/b=20c": " 2 \n" });
  });

  it("puts the prefix before, takes the source root off, and knows it from its siblings", async () => {
    const files = { "cfg/a": "1", "cfg/cfg/b": "2", "cfg2/b": "3", cfg: "4", other: "5" };
    expect(await expanded(files, { prefix: "mount/repo/main", sourceRoot: "cfg" })).toEqual({
      "mount/repo/main/a": "1",
      "mount/repo/main/cfg/b": "2",
    });
  });

  it("expands by extension and drops it only from what it expands", async () => {
    const files = {
      "a.json": '{"x":1}',
      "b.yml": "y: 2",
      "c.properties": "z=3",
      "d.txt": "4",
      "e.tar.yaml": "v: 5",
    };
    expect(await expanded(files, { expand: true })).toEqual({
      "a.json/x": "1",
      "b.yml/y": "2",
      "c.properties/z": "3",
      "d.txt": "4",
      "e.tar.yaml/v": "5",
    });
    expect(await expanded(files, { expand: true, dropExtensions: true })).toEqual({
      "a/x": "1",
      "b/y": "2",
      "c/z": "3",
      "d.txt": "4",
      "e.tar/v": "5",
    });
    expect(await expanded(files, { dropExtensions: true })).toEqual(files);
  });

  it("gives the common properties, which may be outside of the source root, to every other file", async () => {
    const files = {
      "common.properties": "host=db",
      "cfg/a.properties": `url=\${host}:1`,
      "cfg/b.json": `{"x":"\${host}"}`,
    };
    const rules = { expand: true, sourceRoot: "cfg", commonProperties: "common.properties" };
    expect(await expanded(files, rules)).toEqual({ "a.properties/url": "db:1", "b.json/x": `\${host}` });
  });

  it("refuses a commit of which two files become the same key, naming both", async () => {
    const source = memorySource();
    const commit = source.push({ "a.json": '{"x":1}', "a.yaml": "x: 2", "ok.json": '{"y":1}' });
    const rules = rulesOf({ expand: true, dropExtensions: true, prefix: "p" });
    const error = await expandedSource(source, rules)
      .tree(commit)
      .catch((thrown: unknown) => thrown);
    expect(problemsOf(error)).toEqual([
      {
        file: "a.yaml",
        reason: "Duplicate",
        message: 'the key "p/a/x" also comes from the file "a.json"',
        hint: "Rename one of the two files.",
      },
    ]);
  });

  it("refuses a commit with a file that cannot be expanded, naming file and line, and keys that are forbidden", async () => {
    const source = memorySource();
    const commit = source.push({ "a.yaml": "x: 1\nx: 2", "sluice/x": "1", "b.json": "{}" });
    const forbids = (key: string) => (key.startsWith("sluice/") ? "it is Sluice's own" : undefined);
    const error = await expandedSource(source, rulesOf({ expand: true, forbids }))
      .tree(commit)
      .catch((thrown: unknown) => thrown);
    expect(isSluiceError(error, "FILE_INVALID")).toBe(true);
    expect(problemsOf(error)?.map(({ file, line, message }) => ({ file, line, message }))).toEqual([
      { file: "a.yaml", line: 2, message: expect.stringContaining("unique") },
      {
        file: "sluice/x",
        line: undefined,
        message: 'the key "sluice/x" must not be written: it is Sluice\'s own',
      },
    ]);
  });

  it("expands and reads only what changed", async () => {
    const { source, read } = counted();
    const one = expandedSource(source, rulesOf({ expand: true }));
    const files: Files = Object.fromEntries(
      Array.from({ length: 50 }, (_, at) => [`f${at}.json`, `{"v":${at}}`]),
    );
    const first = source.push(files);
    await one.tree(first);
    expect(read.splice(0)).toHaveLength(50);
    const second = source.push({ ...files, "f7.json": '{"v":"new","w":1}' });
    const changes = await one.changes(first, second);
    expect(changes.map(({ path, from, to }) => [path, !!from, !!to])).toEqual([
      ["f7.json/v", true, true],
      ["f7.json/w", false, true],
    ]);
    expect(read.splice(0)).toHaveLength(1);
    await one.tree(second);
    expect(read).toHaveLength(0);
  });

  it("expands every properties file anew when the common properties change", async () => {
    const source = memorySource();
    const one = expandedSource(source, rulesOf({ expand: true, commonProperties: "c.properties" }));
    const files = {
      "c.properties": "h=1",
      "a.properties": `x=\${h}`,
      "b.properties": "y=2",
      "d.json": '{"z":1}',
    };
    const first = source.push(files);
    await one.tree(first);
    const second = source.push({ ...files, "c.properties": "h=9" });
    const changed = await one.changes(first, second);
    expect(
      await contentsOf(
        one,
        changed.flatMap(({ to }) => to ?? []),
      ),
    ).toEqual({
      "a.properties/x": "9",
      "c.properties/h": "9",
    });
  });

  it("finds values again that it no longer remembers", async () => {
    const source = memorySource();
    const one = expandedSource(source, rulesOf({ expand: true }));
    const big = (seed: string) => seed.repeat(3_000_000);
    const files = Object.fromEntries(
      [..."abcdefgh"].map((letter) => [`${letter}.yaml`, `v: ${big(letter)}\nw: 1`]),
    );
    const keys = await keysAt(one, source.push(files));
    expect(Object.keys(keys)).toHaveLength(16);
    expect(keys["a.yaml/v"]).toBe(big("a"));
  });

  it("tells links by their own path and makes no key of them", async () => {
    const source = memorySource();
    const commit = source.push({ "cfg/a": "1" });
    const link: TreeFile = {
      path: "cfg/l.json" as TreeFile["path"],
      oid: blobId(Buffer.from("x")),
      kind: "symlink",
    };
    const linked = { ...source, tree: async (at: CommitId) => [...(await source.tree(at)), link] };
    const tree = await expandedSource(linked, rulesOf({ prefix: "p", expand: true, sourceRoot: "cfg" })).tree(
      commit,
    );
    expect(tree.map(({ path, kind }) => `${kind} ${path}`)).toEqual(["file p/a", "symlink cfg/l.json"]);
  });
});

function counted(): { source: MemorySource; read: string[] } {
  const memory = memorySource();
  const read: string[] = [];
  const source = {
    ...memory,
    blobs: {
      read(...[oids, signal]: Parameters<Blobs["read"]>) {
        read.push(...oids);
        return memory.blobs.read(oids, signal);
      },
    },
  };
  return { source, read };
}

const NAMES = [
  "a.json",
  "a.yaml",
  "a.properties",
  "a",
  "a/x",
  "d/b.json",
  "c.properties",
  "d/t.txt",
  "d2/t.txt",
];
const CONTENTS = ['{"x":1}', '{"x":2,"y":{"z":[1,2]}}', "x: 1\n", `x=\${h}\n`, "h=1", "h=2", " plain ", ""];
const files = fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom(...CONTENTS), { maxKeys: 6 });
const rules = fc.record({
  expand: fc.boolean(),
  dropExtensions: fc.boolean(),
  trim: fc.boolean(),
  invalid: fc.constantFrom("raw" as const, "refuse" as const),
  sourceRoot: fc.constantFrom("", "d"),
  commonProperties: fc.constantFrom(undefined, "c.properties"),
});

it("has changes that lead from one commit's keys to the next one's, however they are asked for", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(files, { minLength: 2, maxLength: 6 }), rules, async (history, some) => {
      const source = memorySource();
      const one = expandedSource(source, rulesOf(some));
      let at: { commit: CommitId; keys: Map<string, TreeFile> } | undefined;
      for (const state of history) {
        const commit = source.push(state);
        const whole = await expandedSource(source, rulesOf(some))
          .tree(commit)
          .catch(() => undefined);
        const changes = at && (await one.changes(at.commit, commit).catch(() => undefined));
        if (!whole) {
          expect(changes).toBeUndefined();
          continue;
        }
        const keys = new Map(whole.map((file) => [file.path as string, file]));
        if (at) {
          for (const { path, from, to } of changes ?? []) {
            expect(at.keys.get(path)).toEqual(from);
            if (to) at.keys.set(path, to);
            else at.keys.delete(path);
          }
          expect(at.keys).toEqual(keys);
          await contentsOf(
            one,
            (changes ?? []).flatMap(({ to }) => to ?? []),
          );
        } else await one.tree(commit);
        at = { commit, keys };
      }
    }),
    { numRuns: 400 },
  );
});
