import { rmSync } from "node:fs";
import { join } from "node:path";
import {
  blobId,
  type CommitId,
  type ObjectId,
  type Source,
  systemClock,
  type TreeChange,
  type TreeFile,
} from "@sluice/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type GitSource, type GitSourceOptions, gitSource } from "./git-source.ts";
import { type ScratchRepository, scratchRepository } from "./testing/scratch-repository.ts";
import { treeCache } from "./trees/tree-cache.ts";

let repository: ScratchRepository;
let sources: Source[];

beforeEach(() => {
  repository = scratchRepository();
  sources = [];
});
afterEach(async () => {
  for (const source of sources) await source.close();
  repository.remove();
});

async function open(options: Partial<GitSourceOptions> = {}): Promise<GitSource> {
  const source = await gitSource({
    repository: repository.path,
    branch: "main",
    cacheDir: join(repository.path, "unused"),
    clock: systemClock,
    random: Math.random,
    ...options,
  });
  sources.push(source);
  return source;
}

const SUBMODULE = "0123456789abcdef0123456789abcdef01234567";
const ODD = {
  "plain.yaml": "a: 1\n",
  "with space/ü.yaml": "b\n",
  "new\nline": "c\n",
  "bytes-\xff\xfe": Buffer.from([0, 255, 254, 10]),
  "-leading": "d\n",
  "run.sh": { mode: "100755", content: "#!/bin/sh\n" },
  link: { mode: "120000", content: "/etc/hostname" },
  module: { mode: "160000", content: SUBMODULE },
  empty: "",
};

function sorted(files: readonly TreeFile[]): TreeFile[] {
  return [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
}
function summary(changes: readonly TreeChange[]): string[] {
  return changes.map(({ path, from, to }) => `${from ? (to ? "~" : "-") : "+"} ${path}`).sort();
}
async function texts(source: Source, files: readonly TreeFile[]): Promise<string[]> {
  const read: string[] = [];
  for await (const bytes of source.blobs.read(files.map((file) => file.oid)))
    read.push(Buffer.from(bytes).toString("latin1"));
  return read;
}

describe.each([
  ["the git program", {}],
  ["isomorphic-git", { git: false as const }],
])("a source read by %s", (_, reader) => {
  it("lists every file of a commit by the bytes of its name, and names what it does not follow", async () => {
    const commit = repository.commit(ODD);
    const source = await open(reader);
    const file = (path: string, content: string | Buffer, kind = "file") => ({
      path,
      oid: blobId(Buffer.from(content)),
      kind,
    });
    expect(sorted(await source.tree(commit))).toEqual([
      file("-leading", "d\n"),
      file("bytes-=FF=FE", Buffer.from([0, 255, 254, 10])),
      file("empty", ""),
      file("link", "/etc/hostname", "symlink"),
      { path: "module", oid: SUBMODULE, kind: "submodule" },
      file("new=0Aline", "c\n"),
      file("plain.yaml", "a: 1\n"),
      file("run.sh", "#!/bin/sh\n"),
      file("with=20space/=FC.yaml", "b\n"),
    ]);
  });

  it("reads blobs byte for byte, in the order asked, the same one twice", async () => {
    const commit = repository.commit({ a: "1", b: Buffer.from([0, 10, 255]), c: "" });
    const source = await open(reader);
    const [a, b, c] = sorted(await source.tree(commit)) as [TreeFile, TreeFile, TreeFile];
    expect(await texts(source, [b, a, c, a])).toEqual(["\0\n\xff", "1", "", "1"]);
  });

  it("tells what differs between two commits in either direction", async () => {
    const before = repository.commit({ keep: "k", "dir/a": "1", "dir/b": "1", gone: "x", swap: "file" });
    const after = repository.commit({
      keep: "k",
      "dir/a": "2",
      "dir/b": "1",
      "swap/in": "x",
      "dir/new/deep": "n",
    });
    const source = await open(reader);
    const there = ["+ dir/new/deep", "+ swap/in", "- gone", "- swap", "~ dir/a"];
    expect(summary(await source.changes(before, after))).toEqual(there);
    const flip: Record<string, string> = { "+": "-", "-": "+", "~": "~" };
    const back = there.map((line) => `${flip[line[0] as string]}${line.slice(1)}`).sort();
    expect(summary(await source.changes(after, before))).toEqual(back);
    expect(await source.changes(after, after)).toEqual([]);
  });

  it("says nothing of execute permission, and tells a link that takes a file's place", async () => {
    const before = repository.commit({ run: "x", same: "target" });
    const after = repository.commit({
      run: { mode: "100755", content: "x" },
      same: { mode: "120000", content: "target" },
    });
    const source = await open(reader);
    const oid = blobId(Buffer.from("target"));
    expect(await source.changes(before, after)).toEqual([
      { path: "same", from: { path: "same", oid, kind: "file" }, to: { path: "same", oid, kind: "symlink" } },
    ]);
  });

  it("finds the .gitattributes above its root, the highest first", async () => {
    const attributes = { ".gitattributes": "a", "env/.gitattributes": "b", "env/prod/.gitattributes": "c" };
    const commit = repository.commit({ ...attributes, "env/prod/file": "1" });
    const linked = repository.commit({ "x/y": "1", ".gitattributes": { mode: "120000", content: "x/y" } });
    const source = await open({ ...reader, path: "/env/prod/" });
    expect(await source.attributesAbove(commit)).toEqual([
      { oid: blobId(Buffer.from("a")), below: "env/prod" },
      { oid: blobId(Buffer.from("b")), below: "prod" },
    ]);
    expect(await source.attributesAbove(linked)).toEqual([]);
    expect(await (await open({ ...reader, path: "x" })).attributesAbove(linked)).toEqual([]);
    expect(await (await open(reader)).attributesAbove(commit)).toEqual([]);
  });

  it("takes a folder as its root, and an absent folder as an empty tree", async () => {
    const before = repository.commit({ top: "1", "env/prod/a": "1" });
    const after = repository.commit({
      top: "2",
      "env/prod/a": "1",
      "env/prod/b": "1",
      "env/production": "1",
    });
    const source = await open({ ...reader, path: "/env/prod/" });
    expect(sorted(await source.tree(after)).map((file) => file.path)).toEqual(["a", "b"]);
    expect(summary(await source.changes(before, after))).toEqual(["+ b"]);
    const absent = await open({ ...reader, path: "nowhere" });
    expect(await absent.tree(after)).toEqual([]);
    const elsewhere = await open({ ...reader, path: "top" });
    await expect(elsewhere.tree(after)).rejects.toMatchObject({ code: "GIT_FAILED" });
  });

  it("reads an empty commit, and one whose folders are fifty deep", async () => {
    const deep = `${"d/".repeat(50)}leaf`;
    const empty = repository.commit({});
    const full = repository.commit({ [deep]: "x" });
    const source = await open(reader);
    expect(await source.tree(empty)).toEqual([]);
    expect(summary(await source.changes(empty, full))).toEqual([`+ ${deep}`]);
  });

  it("sees what is pushed and packed while it is open", async () => {
    const source = await open(reader);
    for (const round of ["one", "two", "three"]) {
      const commit = repository.commit({ [round]: round });
      if (round !== "one") repository.git("gc", "--quiet", "--prune=now");
      expect(await source.head()).toBe(commit);
      expect(await texts(source, await source.tree(commit))).toEqual([round]);
    }
  });

  it("says which object is missing", async () => {
    repository.commit({ a: "1" });
    const source = await open(reader);
    const nowhere = "f".repeat(40) as CommitId;
    await expect(source.tree(nowhere)).rejects.toMatchObject({
      code: "GIT_OBJECT_MISSING",
      message: expect.stringContaining(nowhere),
    });
  });

  it("refuses to read an object beyond its limit, and goes on", async () => {
    const commit = repository.commit({ big: "x".repeat(100_001), small: "s" });
    const source = await open({ ...reader, limits: { maxFileBytes: 100_000 } });
    const [big, small] = sorted(await source.tree(commit)) as [TreeFile, TreeFile];
    await expect(texts(source, [big])).rejects.toMatchObject({ code: "FILE_TOO_LARGE" });
    expect(await texts(source, [small])).toEqual(["s"]);
  });

  it("reads thousands of blobs and some that are large in the order asked", async () => {
    const contents = Array.from({ length: 2_500 }, (_, at) =>
      at % 50 === 0 ? `${at}`.repeat(50_000) : `${at}`,
    );
    const commit = repository.commit(Object.fromEntries(contents.map((text, at) => [`f${at}`, text])));
    const source = await open(reader);
    const files = await source.tree(commit);
    const inOrder = contents.map((_, at) => files.find(({ path }) => path === `f${at}`) as TreeFile);
    const read = await texts(source, inOrder);
    expect(read.findIndex((text, at) => text !== contents[at])).toBe(-1);
    expect(read).toHaveLength(2_500);
  });

  it("describes a commit by its author and the first line of its message", async () => {
    const commit = repository.commit({ a: "1" });
    const source = await open(reader);
    expect(await source.describe(commit)).toEqual({
      commit,
      author: "Ada Löwe",
      email: "ada@example.test",
      at: "2023-11-14T22:13:20.000Z",
      committedAt: "2023-11-14T22:15:00.000Z",
      subject: "A subject",
    });
  });

  it("reads a push in quarantine, where a pre-receive hook finds it", async () => {
    repository.commit({ a: "1" });
    const pushed = scratchRepository();
    try {
      const commit = pushed.commit({ a: "1", b: "2" });
      const alternates = join(repository.path, "objects");
      const objectDirectory = join(pushed.path, "objects");
      const source = await open({ ...reader, quarantine: { objectDirectory, alternates } });
      expect(sorted(await source.tree(commit)).map((file) => file.path)).toEqual(["a", "b"]);
      const known = (await source.head()) as CommitId;
      expect(summary(await source.changes(known, commit))).toEqual(["+ b"]);
      const outside = await open(reader);
      await expect(outside.tree(commit)).rejects.toMatchObject({ code: "GIT_OBJECT_MISSING" });
    } finally {
      pushed.remove();
    }
  });

  it.each([["../up"], ["."], [".."], ["a/../b"]])("refuses a tree that holds the name %j", async (name) => {
    const blob = repository.git("hash-object", "-w", "--stdin");
    const entry = Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(blob, "hex")]);
    const commit = repository.rawCommit(entry);
    const source = await open(reader);
    await expect(source.tree(commit)).rejects.toMatchObject({
      code: "PATH_UNSAFE",
      message: expect.stringContaining(name),
    });
  });

  it("refuses a mode Git does not know, and entries out of order", async () => {
    const id = Buffer.alloc(20, 1);
    const strange = repository.rawCommit(Buffer.concat([Buffer.from("100000 odd\0"), id]));
    const unsorted = repository.rawCommit(
      Buffer.concat([Buffer.from("100644 b\0"), id, Buffer.from("100644 a\0"), id]),
    );
    const source = await open(reader);
    await expect(source.tree(strange)).rejects.toMatchObject({ code: "PATH_UNSAFE" });
    await expect(source.tree(unsorted)).rejects.toMatchObject({ code: "GIT_FAILED" });
  });
});

describe("a source", () => {
  it("tells how long blobs are in the order asked, also of those it would not read", async () => {
    const commit = repository.commit({ big: "x".repeat(1001), empty: "", small: "s" });
    const source = await open({ limits: { maxFileBytes: 1000 } });
    const files = await source.tree(commit);
    const [big, empty, small] = sorted(files).map(({ oid }) => oid) as [ObjectId, ObjectId, ObjectId];
    expect(await source.blobs.sizes?.([small, big, empty, small])).toEqual([1, 1001, 0, 1]);
    const missing = "f".repeat(40) as ObjectId;
    await expect(source.blobs.sizes?.([small, missing])).rejects.toMatchObject({
      code: "GIT_OBJECT_MISSING",
    });
    await expect(source.blobs.sizes?.([commit as string as ObjectId])).rejects.toMatchObject({
      code: "GIT_FAILED",
    });
  });

  it("shares with others what it read of trees, and keeps to its own limit with what others read", async () => {
    const commit = repository.commit({ "dir/a": "1", "dir/b": "2", "dir/c": "3" });
    const trees = treeCache(100);
    const first = await open({ trees });
    const files = await first.tree(commit);
    const folder = repository.git("rev-parse", "main:dir");
    const object = join(repository.path, "objects", folder.slice(0, 2), folder.slice(2));
    rmSync(object, { force: true });
    await expect((await open()).tree(commit)).rejects.toMatchObject({ code: "GIT_OBJECT_MISSING" });
    expect(await (await open({ trees })).tree(commit)).toEqual(files);
    const narrow = await open({ trees, limits: { maxFiles: 2 } });
    await expect(narrow.tree(commit)).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
  });

  it("tells no lengths where it could only read the blobs to measure them", async () => {
    expect((await open({ git: false })).blobs).not.toHaveProperty("sizes");
  });

  it("answers many overlapping questions after its git child was killed", async () => {
    const commit = repository.commit({ a: "1", "b/c": "2" });
    const source = await open();
    const files = await source.tree(commit);
    const children = repository.childrenOf(process.pid, "cat-file");
    expect(children).toHaveLength(1);
    process.kill(children[0] as number, "SIGKILL");
    const all = await Promise.all(Array.from({ length: 20 }, () => texts(source, files)));
    expect(all).toEqual(Array.from({ length: 20 }, () => ["1", "2"]));
  });

  it("lets go of its git child when it is closed", async () => {
    const commit = repository.commit({ a: "1" });
    const source = await open();
    await source.tree(commit);
    await source.close();
    await expect.poll(() => repository.childrenOf(process.pid, "cat-file")).toEqual([]);
    await expect(source.tree(commit)).rejects.toMatchObject({ code: "GIT_FAILED" });
  });

  it("refuses a git program that is not there when it was named", async () => {
    const commit = repository.commit({ a: "1" });
    const source = await open({ git: "/nowhere/git" });
    await expect(source.tree(commit)).rejects.toMatchObject({ code: "GIT_MISSING" });
  });

  it("reads 20,000 files in 200 folders, and afterwards only what changed", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, at) => [`dir${at % 200}/file${at}`, `content ${at}`]),
    );
    const before = repository.commit(files);
    const after = repository.commit({ ...files, "dir7/file7": "changed" });
    const source = await open();
    expect(await source.tree(before)).toHaveLength(20_000);
    expect(summary(await source.changes(before, after))).toEqual(["~ dir7/file7"]);
  });
});
