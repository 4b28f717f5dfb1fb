import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Source, systemClock } from "@sluice/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gitSource } from "../git-source.ts";
import { type ScratchRepository, scratchRepository } from "../testing/scratch-repository.ts";
import { branchRef } from "./branch-name.ts";

let repository: ScratchRepository;

beforeEach(() => {
  repository = scratchRepository();
});
afterEach(() => repository.remove());

function open(branch = "main", path = repository.path): Promise<Source> {
  return gitSource({
    repository: path,
    branch,
    cacheDir: join(repository.path, "unused"),
    clock: systemClock,
    random: Math.random,
  });
}

describe("a branch's name", () => {
  it.each(["main", "feature/x", "release-1.2", "ü", "a@b", "v1.lock.d"])("may be %j", (name) => {
    expect(branchRef(name)).toBe(`refs/heads/${name}`);
  });

  it.each([
    "",
    "-x",
    "a..b",
    "a b",
    "a~1",
    "a^",
    "a:b",
    "a?",
    "a*",
    "a[b",
    "a\\b",
    "/a",
    "a/",
    "a//b",
    ".a",
    "a/.b",
    "a.",
    "a.lock",
    "a.lock/b",
    "@",
    "a@{1}",
    "HEAD",
    "a\nb",
    "a\u007f",
  ])("may not be %j", async (name) => {
    expect(() => branchRef(name)).toThrow(expect.objectContaining({ code: "GIT_REF_INVALID" }));
    await expect(open(name)).rejects.toMatchObject({ code: "GIT_REF_INVALID" });
  });
});

describe("the head of a local branch", () => {
  it.each([["main"], ["feature/x"]])("of %s is found loose, packed, and loose again", async (branch) => {
    const source = await open(branch);
    expect(await source.head()).toBeUndefined();
    const first = repository.commit({ a: "1" }, branch);
    expect(await source.head()).toBe(first);
    repository.git("pack-refs", "--all", "--prune");
    expect(await source.head()).toBe(first);
    const second = repository.commit({ a: "2" }, branch);
    expect(await source.head()).toBe(second);
    repository.git("update-ref", "-d", `refs/heads/${branch}`);
    expect(await source.head()).toBeUndefined();
  });

  it("is never taken from a branch whose name ends or begins alike", async () => {
    repository.commit({ a: "1" }, "x/main");
    repository.commit({ a: "2" }, "main2");
    repository.git("pack-refs", "--all");
    const source = await open("main");
    expect(await source.head()).toBeUndefined();
    const folder = await open("x");
    expect(await folder.head()).toBeUndefined();
  });

  it("follows a symbolic ref", async () => {
    const commit = repository.commit({ a: "1" }, "real");
    repository.git("symbolic-ref", "refs/heads/alias", "refs/heads/real");
    const source = await open("alias");
    expect(await source.head()).toBe(commit);
  });

  it.each([
    ["is no repository", () => rmSync(join(repository.path, "objects"), { recursive: true })],
    ["holds a ref cut short", () => writeFileSync(join(repository.path, "refs/heads/main"), "")],
    [
      "holds a ref of another kind of hash",
      () => writeFileSync(join(repository.path, "refs/heads/main"), "a".repeat(64)),
    ],
    [
      "holds a ref that cannot be told",
      () => writeFileSync(join(repository.path, "refs/heads/main"), "ref: refs/heads/main\n"),
    ],
  ])("is unknown, not absent, where the folder %s", async (_, damage) => {
    const source = await open();
    expect(await source.head()).toBeUndefined();
    damage();
    await expect(source.head()).rejects.toMatchObject({ code: "GIT_FAILED" });
  });

  it("is unknown where no repository is, until one comes", async () => {
    const later = join(repository.path, "later");
    const source = await open("main", later);
    await expect(source.head()).rejects.toMatchObject({ code: "GIT_FAILED" });
    mkdirSync(later);
    repository.git("clone", "--quiet", "--bare", repository.path, later);
    expect(await source.head()).toBeUndefined();
  });

  it("is found through a working tree and through a linked one", async () => {
    const commit = repository.commit({ a: "1" });
    const [tree, linked] = [join(repository.path, "tree"), join(repository.path, "linked")];
    repository.git("clone", "--quiet", repository.path, tree);
    repository.git("worktree", "add", "--quiet", "--detach", linked, "main");
    for (const path of [tree, linked]) {
      const source = await open("main", path);
      expect(await source.head()).toBe(commit);
      expect(await source.tree(commit)).toHaveLength(1);
      await source.close();
    }
  });
});

describe("watching a local branch", () => {
  /** Counts hints until the signal aborts; the count starts when the watch is armed. */
  function hints(source: Source) {
    const stop = new AbortController();
    const seen = { count: 0 };
    const watch = source.watch as NonNullable<Source["watch"]>;
    const done = (async () => {
      for await (const _ of watch(stop.signal)) seen.count += 1;
    })();
    const end = () => {
      stop.abort();
      return done;
    };
    return { seen, end };
  }

  it.each([["main"], ["team/a/feature"]])(
    "of %s tells of its first commit, of the next, of packing, and of its deletion",
    async (branch) => {
      const source = await open(branch);
      await source.head();
      const { seen, end } = hints(source);
      const steps = [
        () => repository.commit({ a: "1" }, branch),
        () => repository.commit({ a: "2" }, branch),
        () => repository.git("pack-refs", "--all", "--prune"),
        () => repository.commit({ a: "3" }, branch),
        () => repository.git("update-ref", "-d", `refs/heads/${branch}`),
        () => repository.commit({ a: "4" }, branch),
      ];
      // The repository's folder is known by now, so the watch is armed before this answers.
      await source.head();
      for (const step of steps) {
        const before = seen.count;
        step();
        await expect.poll(() => seen.count, { interval: 5, timeout: 2000 }).toBeGreaterThan(before);
        await quiet(seen);
      }
      await end();
    },
  );

  it("ends with its signal, and where the repository is not there", async () => {
    const source = await open("main", join(repository.path, "nowhere"));
    await hints(source).end();
    const there = await open();
    await hints(there).end();
  });

  /** Waits until what one step caused has been told. */
  async function quiet(seen: { count: number }) {
    for (let last = -1; last !== seen.count; ) {
      last = seen.count;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }
});
