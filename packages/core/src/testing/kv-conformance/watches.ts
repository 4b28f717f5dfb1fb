import { expect, it } from "vitest";
import type { Kv, KvEntry } from "../../ports/kv.ts";
import { existing, type Subjects, textOf, write } from "./subject.ts";

/** `watch`. */
export function watchRules(subject: Subjects): void {
  it("gives the key as it is now, first", async () => {
    const { kv, another, prefix } = subject();
    await write(another, { [`${prefix}a`]: "now" });
    await watching(kv, `${prefix}a`, async (next) => expect(textOf(await next())).toBe("now"));
    await watching(kv, `${prefix}none`, async (next) => expect(await next()).toBe(undefined));
  });

  it("gives each later state: created, changed, deleted, created anew", async () => {
    const { kv, another, prefix } = subject();
    const key = `${prefix}life`;
    await watching(kv, key, async (next) => {
      expect(await next()).toBe(undefined);
      for (const text of ["born", "grown", ""]) {
        const pending = next();
        await write(another, { [key]: text });
        expect(textOf(await pending)).toBe(text);
      }
      const gone = next();
      await another.commit([{ verb: "delete", key }]);
      expect(await gone).toBe(undefined);
      const anew = next();
      const index = await write(another, { [key]: "born" });
      expect((await anew)?.modifyIndex).toBe(index);
    });
  });

  it("gives the entry that get gives", async () => {
    const { kv, prefix } = subject();
    await write(kv, { [`${prefix}a`]: "1" });
    await watching(kv, `${prefix}a`, async (next) => {
      const [seen, read] = [await next(), await existing(kv, `${prefix}a`)];
      expect([seen?.key, seen?.modifyIndex, textOf(seen)]).toEqual([read.key, read.modifyIndex, "1"]);
    });
  });

  it("coalesces what happened between two steps to the latest state", async () => {
    const { kv, another, prefix } = subject();
    const key = `${prefix}fast`;
    await write(another, { [key]: "0" });
    await watching(kv, key, async (next) => {
      expect(textOf(await next())).toBe("0");
      for (const text of ["1", "2", "3"]) await write(another, { [key]: text });
      expect(textOf(await next())).toBe("3");
    });
  });

  it("tells of a prefix that something under it was created, changed or deleted, and of nothing else", async () => {
    const { kv, another, prefix } = subject();
    await write(another, { [`${prefix}tree/old`]: "0" });
    await watching(kv, `${prefix}tree/`, async (next) => {
      expect(await next()).toBe(undefined);
      const deeds = [
        () => write(another, { [`${prefix}tree/deep/new`]: "1" }),
        () => write(another, { [`${prefix}tree/old`]: "1" }),
        () => another.commit([{ verb: "delete" as const, key: `${prefix}tree/old` }]),
        () => another.commit([{ verb: "delete" as const, key: `${prefix}tree/deep/new` }]),
      ];
      for (const deed of deeds) {
        const pending = next();
        let told = false;
        void pending.then(() => {
          told = true;
        });
        await write(another, { [`${prefix}tree`]: "x", [`${prefix}trees/a`]: String(deeds.indexOf(deed)) });
        await kv.list(prefix);
        expect(told).toBe(false);
        await deed();
        expect(await pending).toBe(undefined);
      }
    });
  });

  it("says nothing about neighbours, and about writes that change nothing", async () => {
    const { kv, another, prefix } = subject();
    const key = `${prefix}quiet`;
    await write(another, { [key]: "0" });
    await watching(kv, key, async (next) => {
      await next();
      const pending = next();
      await write(another, { [`${key}er`]: "x", [`${key}/b`]: "x", [`${prefix}a`]: "x" });
      await write(another, { [key]: "0" });
      await write(another, { [key]: "1" });
      expect(textOf(await pending)).toBe("1");
    });
  });

  it("of a key that does not exist wakes for that key only", async () => {
    const { kv, another, prefix } = subject();
    const key = `${prefix}later`;
    await watching(kv, key, async (next) => {
      expect(await next()).toBe(undefined);
      const pending = next();
      await write(another, { [`${prefix}before`]: "x" });
      await write(another, { [key]: "here" });
      expect(textOf(await pending)).toBe("here");
    });
  });

  it("ends when its signal aborts: while it waits, between two steps, and before it begins", async () => {
    const { kv, prefix } = subject();
    const key = `${prefix}ends`;
    const waiting = new AbortController();
    const first = kv.watch(key, { signal: waiting.signal })[Symbol.asyncIterator]();
    expect(await first.next()).toEqual({ value: undefined, done: false });
    const pending = first.next();
    await kv.get(key);
    waiting.abort();
    expect((await pending).done).toBe(true);

    const between = new AbortController();
    const seen: (KvEntry | undefined)[] = [];
    for await (const entry of kv.watch(key, { signal: between.signal })) {
      seen.push(entry);
      between.abort();
    }
    expect(seen).toEqual([undefined]);

    for await (const entry of kv.watch(key, { signal: AbortSignal.abort() })) seen.push(entry);
    expect(seen).toEqual([undefined]);
  });

  it("many watchers of one key all see the change", async () => {
    const { kv, another, prefix } = subject();
    const key = `${prefix}many`;
    const stop = new AbortController();
    const watches = Array.from({ length: 10 }, () =>
      kv.watch(key, { signal: stop.signal })[Symbol.asyncIterator](),
    );
    for (const watch of watches) expect((await watch.next()).value).toBe(undefined);
    const pending = watches.map((watch) => watch.next());
    await write(another, { [key]: "seen" });
    expect((await Promise.all(pending)).map((step) => textOf(step.value))).toEqual(Array(10).fill("seen"));
    stop.abort();
    expect((await Promise.all(watches.map((watch) => watch.next()))).every((step) => step.done)).toBe(true);
  });
}

/** Watches a key while `body` runs; `next` gives the next state. */
async function watching(
  kv: Kv,
  key: string,
  body: (next: () => Promise<KvEntry | undefined>) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const watch = kv.watch(key, { signal: stop.signal, onError: fail })[Symbol.asyncIterator]();
  const failures: unknown[] = [];
  function fail(error: unknown) {
    failures.push(error);
  }
  try {
    await body(async () => {
      const step = await watch.next();
      if (step.done) throw new Error("the watch ended by itself");
      return step.value;
    });
    expect(failures).toEqual([]);
  } finally {
    stop.abort();
    expect((await watch.next()).done).toBe(true);
  }
}
