import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blobId, type CommitId, type Source, systemClock, type TreeFile } from "@sluice/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type GitSourceOptions, gitSource } from "./git-source.ts";
import { type GitServer, gitServer } from "./testing/git-server.ts";
import { type ScratchRepository, scratchRepository } from "./testing/scratch-repository.ts";

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

async function open(options: Partial<GitSourceOptions> = {}): Promise<Source> {
  const defaults = { repository: repository.path, branch: "main", cacheDir: join(repository.path, "unused") };
  const source = await gitSource({ ...defaults, clock: systemClock, random: Math.random, ...options });
  sources.push(source);
  return source;
}

async function readAll(source: Source, commit: CommitId): Promise<string[]> {
  const files = [...(await source.tree(commit))].sort((a, b) => (a.path < b.path ? -1 : 1));
  const texts: string[] = [];
  for await (const bytes of source.blobs.read(files.map((file: TreeFile) => file.oid)))
    texts.push(Buffer.from(bytes).toString().slice(0, 10));
  return texts;
}

/** Text that deflate cannot shorten much, so that there are bytes to damage. */
const LONG = Array.from({ length: 3000 }, (_, at) => ((at * 7919) % 9973).toString(36)).join(" ");
const BLOB = blobId(Buffer.from(LONG));
const loose = (id: string) => join("objects", id.slice(0, 2), id.slice(2));

function rewrite(file: string, change: (bytes: Buffer) => Buffer): void {
  const changed = change(Buffer.from(readFileSync(file)));
  chmodSync(file, 0o644);
  writeFileSync(file, changed);
}

/** Each way of damage, and how it is undone. */
const DAMAGES: readonly [string, RegExp, RegExp, (folder: string) => () => void][] = [
  [
    "lacks a blob",
    /^GIT_OBJECT_MISSING$/,
    new RegExp(BLOB),
    (folder) => {
      const file = join(folder, loose(BLOB));
      renameSync(file, `${file}.away`);
      return () => renameSync(`${file}.away`, file);
    },
  ],
  [
    "has a blob that is cut short",
    /^GIT_FAILED$/,
    new RegExp(BLOB),
    (folder) => {
      const file = join(folder, loose(BLOB));
      const whole = readFileSync(file);
      rewrite(file, (bytes) => bytes.subarray(0, bytes.length / 2));
      return () => writeFileSync(file, whole);
    },
  ],
  [
    "has a blob of no bytes at all",
    /^(GIT_FAILED|GIT_OBJECT_MISSING)$/,
    new RegExp(BLOB),
    (folder) => {
      const file = join(folder, loose(BLOB));
      const whole = readFileSync(file);
      rewrite(file, () => Buffer.alloc(0));
      return () => writeFileSync(file, whole);
    },
  ],
  [
    "has a pack with a damaged middle",
    /^GIT_FAILED$/,
    /object [0-9a-f]{40} cannot be read/,
    (folder) => {
      repository.git("repack", "-a", "-d", "-q", "--window=0");
      const packs = join(folder, "objects", "pack");
      const name = readdirSync(packs).find((one) => one.endsWith(".pack")) as string;
      const whole = readFileSync(join(packs, name));
      rewrite(join(packs, name), (bytes) => bytes.fill(0xa5, bytes.length / 2, bytes.length / 2 + 500));
      return () => writeFileSync(join(packs, name), whole);
    },
  ],
];

describe.each([
  ["the git program", {}],
  ["isomorphic-git", { git: false as const }],
])("a local repository read by %s", (_, reader) => {
  it.each(DAMAGES)(
    "that %s fails by an object's name, and is read again once mended",
    async (_name, ...damaged) => {
      const [code, words, damage] = damaged;
      const commit = repository.commit({ a: "small", b: LONG, c: "other" });
      repository.unpack();
      const mend = damage(repository.path);
      const source = await open(reader);
      await expect(readAll(source, commit)).rejects.toMatchObject({
        code: expect.stringMatching(code),
        message: expect.stringMatching(words),
      });
      mend();
      expect(await readAll(source, commit)).toEqual(["small", LONG.slice(0, 10), "other"]);
    },
  );

  it("counts entries, files, folders and depth against its limits, and names the folder and the limit", async () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`apps/big/f${at}`, `${at}`]));
    const wide = repository.commit({ ...many, "x/y": "1" });
    const narrow = await open({ ...reader, limits: { maxFiles: 20 } });
    await expect(narrow.tree(wide)).rejects.toMatchObject({
      code: "LIMIT_EXCEEDED",
      message: 'the folder "apps/big/" has more than 20 entries (limits.maxFiles)',
    });
    const spread = Object.fromEntries(Array.from({ length: 25 }, (_, at) => [`d${at % 5}/f${at}`, `${at}`]));
    await expect(narrow.tree(repository.commit(spread))).rejects.toMatchObject({
      message: "the repository has more than 20 files (limits.maxFiles)",
    });
    const fits = repository.commit({ a: "1", "b/c": "2" });
    expect(await narrow.tree(fits)).toHaveLength(2);
    const deep = await open({ ...reader, limits: { maxDepth: 3 } });
    expect(await deep.tree(repository.commit({ "1/2/3/f": "1" }))).toHaveLength(1);
    await expect(deep.tree(repository.commit({ "1/2/3/4/f": "1" }))).rejects.toMatchObject({
      code: "LIMIT_EXCEEDED",
      message: expect.stringContaining("limits.maxDepth"),
    });
  });

  it("refuses a dozen objects that make ten thousand million files", async () => {
    const blob = repository.git("hash-object", "-w", "--stdin");
    let id = blob;
    let mode = "100644";
    let commit = "" as CommitId;
    for (let level = 0; level < 10; level++) {
      const entries = Array.from({ length: 10 }, (_, at) => [
        Buffer.from(`${mode} f${at}\0`),
        Buffer.from(id, "hex"),
      ]);
      const tree = Buffer.concat(entries.flat());
      commit = repository.rawCommit(tree);
      id = repository.git("rev-parse", `${commit}^{tree}`);
      mode = "40000";
    }
    const source = await open({ ...reader, limits: { maxFiles: 5_000 } });
    await expect(source.tree(commit)).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
  });
});

describe("a pack bomb", () => {
  it("is not inflated: its size is asked for first", async () => {
    const bomb = Buffer.alloc(120_000_000);
    const commit = repository.commit({ bomb, small: "s" });
    const source = await open({ limits: { maxFileBytes: 1_000_000 } });
    const files = [...(await source.tree(commit))].sort((a, b) => (a.path < b.path ? -1 : 1));
    const oids = files.map((file) => file.oid);
    const before = process.memoryUsage().rss;
    const children = repository.childrenOf(process.pid, "cat-file");
    await expect(drain(source.blobs.read(oids.slice(0, 1)))).rejects.toMatchObject({
      code: "FILE_TOO_LARGE",
      message: expect.stringContaining("120000000"),
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${children[0]}/status`, "utf8"))?.[1];
    expect(Number(peak)).toBeLessThan(100_000);
    expect(await drain(source.blobs.read(oids.slice(1)))).toEqual(["s"]);
  });

  it("of a repository read by a git too old to be asked for sizes is refused all the same", async () => {
    const old = join(repository.path, "old-git");
    const answer = '[ "$1" = --version ] && echo "git version 2.30.2" && exit';
    writeFileSync(old, `#!/bin/sh\n${answer}\nexec git "$@"\n`, { mode: 0o755 });
    const commit = repository.commit({ big: "x".repeat(2_000_000), small: "s" });
    const source = await open({ git: old, limits: { maxFileBytes: 1_000_000 } });
    const files = [...(await source.tree(commit))].sort((a, b) => (a.path < b.path ? -1 : 1));
    const oids = files.map((file) => file.oid);
    await expect(drain(source.blobs.read(oids.slice(0, 1)))).rejects.toMatchObject({
      code: "FILE_TOO_LARGE",
    });
    expect(await drain(source.blobs.read(oids.slice(1)))).toEqual(["s"]);
    expect(repository.childrenOf(process.pid, "--batch-command")).toEqual([]);
  });

  async function drain(blobs: AsyncIterable<Uint8Array>): Promise<string[]> {
    const texts: string[] = [];
    for await (const bytes of blobs) texts.push(Buffer.from(bytes).toString());
    return texts;
  }
});

describe.each([
  ["the git program", {}],
  ["isomorphic-git", { git: false as const }],
])("a clone made by %s", (_, reader) => {
  let server: GitServer;
  let cacheDir: string;

  beforeEach(async () => {
    server = await gitServer(repository.path);
    cacheDir = mkdtempSync(join(tmpdir(), "sluice-clones-"));
  });
  afterEach(async () => {
    await server.stop();
    rmSync(cacheDir, { recursive: true, force: true });
  });

  it("that was damaged is made anew, once for each commit, whoever shares it", async () => {
    const commit = repository.commit({ a: "small", b: LONG });
    const source = await open({ ...reader, repository: server.url, cacheDir });
    const sharing = await open({ ...reader, repository: server.url, cacheDir });
    for (const one of [source, sharing]) expect(await one.head()).toBe(commit);
    const clone = join(cacheDir, readdirSync(cacheDir)[0] as string);
    for (const name of readdirSync(join(clone, "objects", "pack")))
      rmSync(join(clone, "objects", "pack", name), { force: true });
    await expect(readAll(source, commit)).rejects.toMatchObject({ code: "GIT_OBJECT_MISSING" });
    for (const one of [source, sharing]) {
      expect(await one.head()).toBe(commit);
      expect(await readAll(one, commit)).toEqual(["small", LONG.slice(0, 10)]);
    }
  });

  it("is not made anew for what the server lacks, too, nor for a commit that nobody has", async () => {
    const commit = repository.commit({ a: "small" });
    const source = await open({ ...reader, repository: server.url, cacheDir });
    await source.head();
    const nowhere = "f".repeat(40) as CommitId;
    await expect(source.tree(nowhere)).rejects.toMatchObject({ code: "GIT_OBJECT_MISSING" });
    server.requests = [];
    expect(await source.head()).toBe(commit);
    expect(server.requests).toHaveLength(1);
  });

  it("takes a branch whose name was a folder of branches before, and the other way round", async () => {
    repository.commit({ a: "1" });
    repository.commit({ a: "1" }, "feature");
    const before = await open({ ...reader, repository: server.url, cacheDir, branch: "feature" });
    await before.head();
    repository.git("update-ref", "-d", "refs/heads/feature");
    const commit = repository.commit({ b: "1" }, "feature/x");
    const after = await open({ ...reader, repository: server.url, cacheDir, branch: "feature/x" });
    expect(await after.head()).toBe(commit);
    expect(await before.head()).toBeUndefined();
  });

  it("is shared by sources of one branch that fetch at the same time", async () => {
    const many = await Promise.all(
      Array.from({ length: 4 }, () => open({ ...reader, repository: server.url, cacheDir })),
    );
    for (let round = 0; round < 2; round++) {
      const commit = repository.commit({ a: `${round}`, b: LONG });
      expect(await Promise.all(many.map((one) => one.head()))).toEqual(many.map(() => commit));
      for (const one of many) expect(await readAll(one, commit)).toEqual([`${round}`, LONG.slice(0, 10)]);
    }
    expect(readdirSync(cacheDir)).toHaveLength(1);
  });
});
