import { encodePath, SluiceError } from "@sluice/core";
import { afterEach, describe, expect, it } from "vitest";
import { type Bench, bench, commitOf, digestOf, expectedFiles, LAYOUT } from "./test-bench.ts";

let one: Bench;

afterEach(async () => {
  expect(one.mixes).toEqual([]);
  await one.stop();
});

function many(count: number, text = "x"): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`dir${at % 10}/file${at}`, `${text}${at}`]),
  );
}

describe("the first revision", () => {
  it("is one transaction, marker and record included, on an empty KV", async () => {
    one = bench();
    const files = { "apps/web.yaml": "id: web\n", "a name": "b", empty: "" };
    const commit = one.source.push(files);
    await one.settle();
    expect(one.files()).toEqual(expectedFiles(files));
    expect(one.marker()).toEqual({
      state: "synced",
      revision: `main@sha1:${commit}`,
      files: 3,
      digest: digestOf(files),
      at: "2026-01-01T00:00:00.000Z",
    });
    expect(one.kv.commits).toHaveLength(1);
    expect(one.sink.of("mirror.synced")).toMatchObject([
      { created: 3, updated: 0, deleted: 0, transactions: 1 },
    ]);
    expect(one.sink.events.map((event) => event.type)).toEqual(["leader.elected", "mirror.synced"]);
  });

  it("may be empty", async () => {
    one = bench();
    one.source.push({});
    await one.settle();
    expect(one.marker()).toMatchObject({ state: "synced", files: 0, digest: digestOf({}) });
    expect(one.files()).toEqual({});
  });

  it("is waited for while the branch does not exist, which is told once, and nothing is deleted", async () => {
    one = bench();
    one.kv.set(LAYOUT.file(encodePath("left")), "over");
    await one.clock.advance(100_000);
    expect(one.sink.of("mirror.waiting")).toMatchObject([
      { reason: "Pending", message: 'the branch "main" does not exist; nothing is changed' },
    ]);
    expect(one.kv.commits).toEqual([]);
    expect(one.files()).toEqual({ left: "over" });
    one.source.push({ a: "1" });
    await one.settle();
    expect(one.files()).toEqual({ a: "1" });
  });
});

describe("the next revision", () => {
  it("is one transaction of what changed, without a listing or a read of the KV", async () => {
    one = bench();
    const files = many(500);
    const first = one.source.push(files);
    await one.settle();
    const calls: string[] = [];
    one.kv.fault = (call) => void calls.push(call);
    const { "dir1/file1": _, ...rest } = files;
    const next = { ...rest, "dir2/file2": "changed", added: "new" };
    const commit = one.source.push(next);
    await one.settle();
    expect(calls.filter((call) => call !== "get")).toEqual(["commit"]);
    expect(one.files()).toEqual(expectedFiles(next));
    const keys = one.kv.commits.at(-1)?.map((op) => `${op.verb} ${op.key.slice("sluice/staging/".length)}`);
    expect(keys?.sort()).toEqual([
      "cas files/added",
      "cas files/dir2/file2",
      "cas revision",
      "delete-cas files/dir1/file1",
      `set changes/${commit}`,
    ]);
    expect(one.marker()).toMatchObject({
      previous: `main@sha1:${first}`,
      files: 500,
      digest: digestOf(next),
    });
    expect(JSON.parse(one.kv.dump()[LAYOUT.change(commit)] as string)).toMatchObject({
      revision: `main@sha1:${commit}`,
      previous: `main@sha1:${first}`,
      changes: expect.arrayContaining([
        { kind: "deleted", path: "dir1/file1" },
        { kind: "created", path: "added", oid: expect.any(String) },
        { kind: "updated", path: "dir2/file2", oid: expect.any(String) },
      ]),
    });
  });

  it("may go back to an older commit", async () => {
    one = bench();
    const first = one.source.push({ a: "1", b: "1" });
    await one.settle();
    one.source.push({ a: "2", c: "1" });
    await one.settle();
    one.source.reset(first);
    await one.settle();
    expect(one.files()).toEqual({ a: "1", b: "1" });
    expect(commitOf(one.marker())).toBe(first);
  });

  it("that changes no file moves the marker alone", async () => {
    one = bench();
    one.source.push({ a: "1" });
    await one.settle();
    one.source.push({ a: "1", b: "1" });
    await one.settle();
    const again = one.source.push({ a: "1", b: "1" });
    await one.settle();
    expect(commitOf(one.marker())).toBe(again);
    expect(one.kv.commits.at(-1)).toHaveLength(2);
  });

  it("costs nothing but a look at the marker where nothing moved", async () => {
    one = bench();
    one.source.push({ a: "1" });
    await one.settle();
    const calls: string[] = [];
    one.kv.fault = (call) => void calls.push(call);
    await one.clock.advance(100_000);
    expect(new Set(calls)).toEqual(new Set(["get"]));
    expect(one.kv.commits).toHaveLength(1);
  });
});

describe("a revision whose predecessor Git no longer has", () => {
  it("is found by comparing everything, and its record of changes says that they are not known", async () => {
    one = bench();
    one.source.push({ a: "1", b: "1" });
    await one.settle();
    one.source.changes = async () => {
      throw new SluiceError("GIT_OBJECT_MISSING", "it was pruned");
    };
    const commit = one.source.push({ a: "2", c: "1" });
    await one.settle();
    expect(one.files()).toEqual({ a: "2", c: "1" });
    const record = JSON.parse(one.kv.dump()[LAYOUT.change(commit)] as string);
    expect(Object.keys(record).sort()).toEqual(["commit", "previous", "revision"]);
  });
});

describe("a branch that is deleted", () => {
  it("leaves everything as it is until it is back", async () => {
    one = bench();
    const commit = one.source.push({ a: "1" });
    await one.settle();
    one.source.reset(undefined);
    await one.clock.advance(1_300_000);
    expect(one.files()).toEqual({ a: "1" });
    expect(commitOf(one.marker())).toBe(commit);
    one.source.push({ b: "1" });
    await one.settle();
    expect(one.files()).toEqual({ b: "1" });
    expect(one.sink.of("mirror.failed")).toEqual([]);
  });
});

describe("a large revision", () => {
  it("is announced, written in chunks within the limits, and only then called synced", async () => {
    one = bench({ operations: 64, bodyBytes: 20_000, valueBytes: 50_000 });
    const before = { ...many(100, "y"), gone: "1", "gone too": "1" };
    one.source.push(before);
    await one.settle();
    const files: Record<string, string> = { ...many(300), huge: "h".repeat(40_000), big: "b".repeat(9_000) };
    const commit = one.source.push(files);
    await one.settle();
    expect(one.files()).toEqual(expectedFiles(files));
    expect(one.marker()).toMatchObject({ state: "synced", files: 302, digest: digestOf(files) });
    expect(commitOf(one.marker())).toBe(commit);
    expect(one.sink.of("mirror.synced").at(-1)).toMatchObject({ created: 202, updated: 100, deleted: 2 });
  });

  it("tells how far it is", async () => {
    let now = 0;
    const clock = {
      now: () => (now += 40),
      sleep: (ms: number, signal?: AbortSignal) => one.clock.sleep(ms, signal),
    };
    one = bench({ operations: 64 }, { clock });
    one.source.push(many(3000));
    await one.settle();
    const told = one.sink.of("mirror.progress");
    expect(told.length).toBeGreaterThanOrEqual(2);
    expect(told.map(({ done }) => done)).toEqual(told.map(({ done }) => done).sort((a, b) => a - b));
    expect(new Set(told.map(({ total }) => total))).toEqual(new Set([3000]));
    expect(one.sink.of("mirror.synced")).toMatchObject([{ files: 3000, created: 3000 }]);
  });

  it("leaves a list of changes out that is too long", async () => {
    one = bench();
    one.source.push({});
    await one.settle();
    const commit = one.source.push(many(3000));
    await one.settle();
    const record = JSON.parse(one.kv.dump()[LAYOUT.change(commit)] as string);
    expect(Object.keys(record).sort()).toEqual(["commit", "previous", "revision"]);
  });

  it("can be followed by a change of the file that was too large for a transaction", async () => {
    one = bench({ operations: 64, bodyBytes: 20_000, valueBytes: 50_000 });
    one.source.push({ huge: "h".repeat(40_000), small: "s" });
    await one.settle();
    one.source.push({ huge: "now small", small: "s" });
    await one.settle();
    expect(one.files()).toEqual({ huge: "now small", small: "s" });
    expect(one.sink.of("mirror.synced")).toHaveLength(2);
  });
});

describe("what cannot be mirrored", () => {
  it("refuses a revision with a file that is too large, once, and keeps the old one right", async () => {
    one = bench({}, { maxFileBytes: 100 });
    const good = one.source.push({ a: "1" });
    await one.settle();
    const bad = one.source.push({ a: "2", "too big": "x".repeat(101), ok: "3" });
    await one.settle();
    await one.clock.advance(1_300_000);
    expect(one.files()).toEqual({ a: "1" });
    expect(commitOf(one.marker())).toBe(good);
    const events = one.sink.of("mirror.refused");
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ revision: `main@sha1:${bad}`, problems: [{ file: "too=20big" }] });
    expect(events[0]?.problems[0]?.message).toBe("the file has 101 bytes; limits.maxFileBytes allows 100");

    one.kv.set(LAYOUT.file(encodePath("a")), "edited by hand");
    await one.clock.advance(1_300_000);
    expect(one.files()).toEqual({ a: "1" });
    one.source.push({ a: "4" });
    await one.settle();
    expect(one.files()).toEqual({ a: "4" });
  });

  it("refuses a large revision by its files' lengths, before any content is read", async () => {
    const limits = { operations: 4, bodyBytes: 20_000, valueBytes: 50_000 };
    one = bench(limits, { maxFileBytes: 100 });
    const { blobs } = one.source;
    const asked: number[] = [];
    one.source.blobs = {
      ...blobs,
      read(oids, signal) {
        asked.push(oids.length);
        return blobs.read(oids, signal);
      },
    };
    const files = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`f${at}`, `content ${at}`]));
    one.source.push({ ...files, big: "x".repeat(101), bigger: "x".repeat(102) });
    await one.settle();
    const [refused] = one.sink.of("mirror.refused");
    expect(refused?.problems.map(({ file }) => file).sort()).toEqual(["big", "bigger"]);
    expect(one.files()).toEqual({});
    expect(asked).toEqual([]);

    one.source.push(files);
    await one.settle();
    expect(one.files()).toEqual(files);
    expect(asked).toEqual([20]);
  });

  it("leaves symlinks and submodules out and says so once per revision", async () => {
    one = bench();
    const push = (files: Record<string, string>) => {
      const commit = one.source.push(files);
      const { tree, changes } = original;
      const asLink = <T extends { path: string; kind: string }>(file: T): T =>
        file.path === "link" ? { ...file, kind: "symlink" } : file;
      one.source.tree = async (at) => (await tree(at)).map(asLink);
      one.source.changes = async (from, to) =>
        (await changes(from, to)).map((change) => ({
          path: change.path,
          ...(change.from ? { from: asLink(change.from) } : {}),
          ...(change.to ? { to: asLink(change.to) } : {}),
        }));
      return commit;
    };
    const original = { tree: one.source.tree, changes: one.source.changes };
    push({ a: "1", link: "/etc/passwd" });
    await one.settle();
    push({ a: "2", link: "/etc/hosts" });
    await one.settle();
    await one.clock.advance(1_300_000);
    expect(one.files()).toEqual({ a: "2" });
    expect(one.sink.of("mirror.skipped").map((event) => event.files)).toEqual([["link"], ["link"]]);
  });
});

describe("other hands", () => {
  it("are undone by the audit, whatever they did under files/, and nowhere else", async () => {
    one = bench();
    const files = { a: "1", "b/c": "2", d: "3" };
    one.source.push(files);
    await one.settle();
    const file = (path: string) => LAYOUT.file(encodePath(path));
    one.kv.set(file("a"), "edited");
    one.kv.unset(file("b/c"));
    one.kv.set(file("extra"), "x");
    one.kv.set("sluice/staging/files2/x", "foreign");
    one.kv.set("sluice/staging/status/apps/web", "{}");
    await one.clock.advance(700_000);
    expect(one.files()).toEqual(files);
    expect(one.kv.dump()["sluice/staging/files2/x"]).toBe("foreign");
    expect(one.kv.dump()["sluice/staging/status/apps/web"]).toBe("{}");
    expect(one.sink.of("mirror.repaired")).toMatchObject([{ keys: 3 }]);
    expect(one.sink.of("mirror.synced")).toHaveLength(1);
  });

  it("are undone at once when a person asks for a sync", async () => {
    one = bench();
    one.source.push({ a: "1" });
    await one.settle();
    one.kv.set(LAYOUT.file(encodePath("a")), "edited");
    one.kv.set(LAYOUT.control("sync"), "now");
    await one.settle();
    expect(one.files()).toEqual({ a: "1" });
  });

  it("are noticed by the next revision where they touched the same file", async () => {
    one = bench();
    one.source.push({ a: "1", b: "1" });
    await one.settle();
    one.kv.set(LAYOUT.file(encodePath("a")), "edited");
    one.kv.unset(LAYOUT.file(encodePath("b")));
    one.mixes.length = 0;
    one.source.push({ a: "2", b: "2" });
    await one.settle();
    one.mixes.length = 0;
    expect(one.files()).toEqual({ a: "2", b: "2" });
  });

  it.each([["not json"], ["{}"], ['{"state":"synced","revision":"nonsense","files":1,"digest":""}']])(
    "that overwrite the marker with %s do not stop the mirror",
    async (text) => {
      one = bench();
      const commit = one.source.push({ a: "1" });
      await one.settle();
      one.kv.set(LAYOUT.revision, text);
      await one.clock.advance(40_000);
      expect(commitOf(one.marker())).toBe(commit);
      expect(one.marker()).toMatchObject({ state: "synced", digest: digestOf({ a: "1" }) });
    },
  );
});

describe("the records of changes", () => {
  it("are kept for the newest revisions only, also over a restart", async () => {
    one = bench({}, { keepChanges: 3 });
    const commits: string[] = [];
    for (let round = 0; round < 5; round++) {
      commits.push(one.source.push({ a: String(round) }));
      await one.settle();
    }
    await one.restart();
    await one.settle();
    for (let round = 5; round < 8; round++) {
      commits.push(one.source.push({ a: String(round) }));
      await one.settle();
    }
    const keys = Object.keys(one.kv.dump(LAYOUT.changes)).map((key) => key.slice(LAYOUT.changes.length));
    expect(keys).toEqual(commits.slice(-3).sort());
  });

  it("name what changed since the last whole revision when a restart lies between", async () => {
    one = bench();
    one.source.push({ a: "1", b: "1", c: "1" });
    await one.settle();
    await one.stop();
    one.kv.set(LAYOUT.file(encodePath("a")), "2");
    one.kv.set(LAYOUT.file(encodePath("c")), "edited");
    const commit = one.source.push({ a: "2", b: "1", c: "1" });
    await one.restart();
    await one.settle();
    const record = JSON.parse(one.kv.dump()[LAYOUT.change(commit)] as string);
    expect(record.changes.map((change: { path: string }) => change.path)).toEqual(["a", "c"]);
  });
});

describe("a restart", () => {
  it("that finds everything in place tells so once, reads no content and writes nothing", async () => {
    one = bench();
    const commit = one.source.push(many(20));
    await one.settle();
    let reads = 0;
    const { blobs } = one.source;
    one.source.blobs = {
      ...blobs,
      read(oids, signal) {
        reads += 1;
        return blobs.read(oids, signal);
      },
    };
    await one.restart();
    await one.clock.advance(700_000);
    expect(one.sink.of("mirror.checked")).toMatchObject([
      { revision: `main@sha1:${commit}`, files: 20, since: "2026-01-01T00:00:00.000Z" },
    ]);
    expect([reads, one.kv.commits.length]).toEqual([0, 1]);
  });
});

describe("failures", () => {
  it("are told once, and so is the recovery; a push meanwhile is not lost", async () => {
    one = bench();
    one.source.push({ a: "1" });
    await one.settle();
    one.source.failing = "the remote is away";
    await one.clock.advance(200_000);
    one.source.failing = undefined;
    one.source.push({ a: "2" });
    await one.clock.advance(60_000);
    expect(one.files()).toEqual({ a: "2" });
    const types = one.sink.events.map((event) => event.type).filter((type) => type !== "mirror.synced");
    expect(types).toEqual(["leader.elected", "mirror.failed", "mirror.recovered"]);
    expect(one.sink.of("mirror.failed")[0]).toMatchObject({
      code: "GIT_FAILED",
      message: "the remote is away",
    });
  });

  it("of a read never delete or write anything", async () => {
    one = bench();
    const files = many(20);
    one.source.push(files);
    await one.settle();
    one.kv.fault = (call) => (call === "commit" ? undefined : "KV_FILTERED");
    await one.restart();
    await one.clock.advance(1_000_000);
    expect(one.kv.commits).toHaveLength(1);
    expect(one.files()).toEqual(expectedFiles(files));
  });

  it("that lose an answer are found out by reading again", async () => {
    one = bench();
    one.source.push({ a: "1" });
    await one.settle();
    let lost = false;
    one.kv.fault = (call) => {
      if (call !== "commit" || lost) return undefined;
      lost = true;
      return "after:KV_UNREACHABLE";
    };
    const commit = one.source.push({ a: "2" });
    await one.clock.advance(5_000);
    expect(one.files()).toEqual({ a: "2" });
    expect(commitOf(one.marker())).toBe(commit);
    expect(one.kv.commits).toHaveLength(2);
  });
});

describe("the lock", () => {
  it("lost in the middle of a large revision stops every write; the next holder finishes it", async () => {
    one = bench({ operations: 8 });
    one.source.push({});
    await one.settle();
    const files = many(100);
    let seen = 0;
    let writtenAt = 0;
    one.kv.fault = (call) => {
      if (call === "commit" && ++seen === 5) {
        one.depose();
        writtenAt = one.kv.commits.length;
      }
      return undefined;
    };
    const blocked = new AbortController();
    one.source.push(files);
    await one.kv.lock("unrelated", { ttlMs: 1, lockDelayMs: 1, holder: "x" }, blocked.signal);
    await one.settle();
    expect(one.sink.of("leader.lost")).toHaveLength(1);
    expect(writtenAt).toBeGreaterThan(1);
    await one.clock.advance(60_000);
    expect(one.files()).toEqual(expectedFiles(files));
    expect(one.marker()).toMatchObject({ state: "synced", digest: digestOf(files) });
  });

  it("held by another means standing by: not one write", async () => {
    one = bench();
    await one.settle();
    one.depose();
    const other = await one.kv.lock(
      LAYOUT.lock("mirror"),
      { ttlMs: 1, lockDelayMs: 1, holder: "x" },
      AbortSignal.timeout(5000),
    );
    await one.settle();
    const before = one.kv.commits.length;
    one.source.push({ a: "1" });
    await one.clock.advance(100_000);
    expect(one.kv.commits).toHaveLength(before);
    expect(one.files()).toEqual({});
    await other.release();
    await one.settle();
    expect(one.files()).toEqual({ a: "1" });
  });
});
