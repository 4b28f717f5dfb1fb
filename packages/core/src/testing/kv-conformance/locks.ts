import { expect, it } from "vitest";
import type { Kv, KvLock } from "../../ports/kv.ts";
import { aborted, bytes, contentOf, existing, rejection, type Subjects, textOf, write } from "./subject.ts";

const OPTIONS = { ttlMs: 15_000, lockDelayMs: 1_000, holder: "engine one" };
const OTHER = { ...OPTIONS, holder: "engine two" };

/** `lock`, and the fence of `commit`. */
export function lockRules(subject: Subjects): void {
  it("the key tells who holds the lock, and by which session", async () => {
    const { kv, another, prefix } = subject();
    const key = `${prefix}leader`;
    await holding(kv, key, async (lock) => {
      const entry = await existing(another, key);
      expect([textOf(entry), entry.session]).toEqual(["engine one", lock.fence.session]);
      expect(lock.fence.key).toBe(key);
      expect(lock.lost.aborted).toBe(false);
    });
    expect((await another.get(key))?.session).toBe(undefined);
  });

  it("is held by one at a time, and handed over when it is released", async () => {
    const { kv, another, prefix } = subject();
    const key = `${prefix}leader`;
    const first = await kv.lock(key, OPTIONS, new AbortController().signal);
    let taken = false;
    const waiting = another.lock(key, OTHER, new AbortController().signal).then((lock) => {
      taken = true;
      return lock;
    });
    for (let round = 0; round < 20; round++) await write(another, { [`${prefix}work`]: `${round}` });
    expect(taken).toBe(false);
    await first.release();
    const second = await waiting;
    const entry = await existing(kv, key);
    expect([textOf(entry), entry.session]).toEqual(["engine two", second.fence.session]);
    expect(first.lost.aborted).toBe(true);
    expect(second.lost.aborted).toBe(false);
    await second.release();
  });

  it("locks of different keys do not know each other", async () => {
    const { kv, another, prefix } = subject();
    await holding(kv, `${prefix}one`, () =>
      holding(another, `${prefix}two`, async (lock) => expect(lock.lost.aborted).toBe(false)),
    );
  });

  it("can be taken where the key exists already, and again by who released it", async () => {
    const { kv, prefix } = subject();
    const key = `${prefix}leader`;
    await write(kv, { [key]: "left over" });
    const sessions = new Set<string>();
    for (const _ of [1, 2]) await holding(kv, key, async (lock) => void sessions.add(lock.fence.session));
    expect(sessions.size).toBe(2);
  });

  it("waiting for it ends with the signal's reason", async () => {
    const { kv, another, prefix } = subject();
    const key = `${prefix}leader`;
    await holding(kv, key, async () => {
      const stop = new AbortController();
      const waiting = rejection(another.lock(key, OTHER, stop.signal));
      for (let round = 0; round < 5; round++) await another.get(key);
      const reason = new Error("no longer wanted");
      stop.abort(reason);
      expect(await waiting).toBe(reason);
      expect(await rejection(another.lock(key, OTHER, AbortSignal.abort(reason)))).toBe(reason);
    });
    await holding(another, key, async (lock) => expect(lock.lost.aborted).toBe(false));
  });

  it("a fenced write counts while the lock is held", async () => {
    const { kv, prefix } = subject();
    await holding(kv, `${prefix}leader`, async ({ fence }) => {
      const done = await kv.commit([{ verb: "set", key: `${prefix}a`, value: bytes("1") }], { fence });
      expect(done).toEqual({ applied: true, index: (await existing(kv, `${prefix}a`)).modifyIndex });
    });
  });

  it("a fenced write names its own operations when one of them conflicts", async () => {
    const { kv, prefix } = subject();
    await holding(kv, `${prefix}leader`, async ({ fence }) => {
      const done = await kv.commit(
        [
          { verb: "set", key: `${prefix}a`, value: bytes("1") },
          { verb: "check-not-exists", key: `${prefix}leader` },
        ],
        { fence },
      );
      expect(done).toEqual({ applied: false, conflicts: [{ op: 1, what: expect.stringMatching(/\S/) }] });
    });
    expect(await kv.get(`${prefix}a`)).toBe(undefined);
  });

  it("a fenced write may hold as many operations as the limits say", async () => {
    const { kv, prefix } = subject();
    const keys = Array.from({ length: kv.limits.operations }, (_, at) => `${prefix}files/${at}`);
    await holding(kv, `${prefix}leader`, async ({ fence }) => {
      const ops = keys.map((key) => ({ verb: "cas" as const, key, value: bytes("x"), index: "0" }));
      expect((await kv.commit(ops, { fence })).applied).toBe(true);
    });
    expect(Object.keys(await contentOf(kv, `${prefix}files/`)).length).toBe(keys.length);
  });

  it("a deposed holder cannot write", async () => {
    const { kv, another, prefix } = subject();
    const key = `${prefix}leader`;
    const first = await kv.lock(key, OPTIONS, new AbortController().signal);
    const ops = [{ verb: "set", key: `${prefix}a`, value: bytes("late") }] as const;
    await first.release();
    expect(await rejection(kv.commit(ops, { fence: first.fence }))).toMatchObject({ code: "LOCK_LOST" });
    await holding(another, key, async (second) => {
      expect(await rejection(kv.commit(ops, { fence: first.fence }))).toMatchObject({ code: "LOCK_LOST" });
      await another.commit([{ verb: "set", key: `${prefix}a`, value: bytes("good") }], second);
    });
    expect(textOf(await kv.get(`${prefix}a`))).toBe("good");
  });

  it("a fence on a lock nobody ever took does not hold", async () => {
    const { kv, prefix } = subject();
    const fence = { key: `${prefix}none`, session: "00000000-0000-0000-0000-000000000000" };
    const write = kv.commit([{ verb: "set", key: `${prefix}a`, value: bytes("1") }], { fence });
    expect(await rejection(write)).toMatchObject({ code: "LOCK_LOST" });
    expect(await contentOf(kv, prefix)).toEqual({});
  });

  it("is lost when its key is deleted by hand", async () => {
    const { kv, another, prefix } = subject();
    const key = `${prefix}leader`;
    const lock = await kv.lock(key, OPTIONS, new AbortController().signal);
    await another.commit([{ verb: "delete", key }]);
    await aborted(lock.lost);
    expect(lock.lost.reason).toMatchObject({ code: "LOCK_LOST" });
    await lock.release();
  });

  it("release may be called twice, and after the lock was lost", async () => {
    const { kv, prefix } = subject();
    const lock = await kv.lock(`${prefix}leader`, OPTIONS, new AbortController().signal);
    await Promise.all([lock.release(), lock.release()]);
    await lock.release();
    expect(lock.lost.reason).toMatchObject({ code: "LOCK_LOST" });
  });
}

async function holding(kv: Kv, key: string, body: (lock: KvLock) => Promise<void>): Promise<void> {
  const lock = await kv.lock(key, OPTIONS, new AbortController().signal);
  try {
    await body(lock);
  } finally {
    await lock.release();
  }
}
