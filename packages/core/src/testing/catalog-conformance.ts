import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Catalog, ServiceCheck, ServiceDefinition } from "../ports/catalog.ts";

export interface CatalogSubject {
  readonly catalog: Catalog;
  stop(): Promise<void>;
}

/** Declares the suite of the `Catalog` port's contract. @param setup run once; each test has names of its own. */
export function catalogConformance(name: string, setup: () => Promise<CatalogSubject>): void {
  describe(`${name} keeps the contract of the Catalog port`, () => {
    let subject: CatalogSubject;
    let trials = 0;
    const watches: AbortController[] = [];

    beforeAll(async () => {
      subject = await setup();
    });
    afterAll(async () => {
      for (const one of watches) one.abort();
      await subject?.stop();
    });

    const ttl = (id: string, more: Partial<ServiceCheck> = {}): ServiceCheck => ({
      id,
      name: "said by its owner",
      probe: { kind: "ttl", ttlMs: 60_000 },
      intervalMs: 10_000,
      timeoutMs: undefined,
      initial: "critical",
      deregisterAfterMs: undefined,
      ...more,
    });
    function trial() {
      trials += 1;
      const word = `trial-${trials}`;
      const service = (id: string, more: Partial<ServiceDefinition> = {}): ServiceDefinition => ({
        id: `${word}:${id}`,
        name: word,
        address: "10.1.2.3",
        port: 8080,
        tags: ["b", "a"],
        meta: { "managed-by": word },
        checks: [],
        ...more,
      });
      return { word, service, catalog: subject.catalog };
    }
    const collect = <T>(start: (signal: AbortSignal) => AsyncIterable<T>) => {
      const stop = new AbortController();
      watches.push(stop);
      const seen: T[] = [];
      const ended = (async () => {
        for await (const one of start(stop.signal)) seen.push(one);
      })();
      return { seen, stop, ended };
    };

    it("shows what was registered by its owner, and nobody else's", async () => {
      const { word, service, catalog } = trial();
      await catalog.register(service("1", { checks: [ttl(`${word}:c`)] }));
      await catalog.register(service("2", { meta: { "managed-by": `${word}-other` } }));
      await catalog.register(service("3", { meta: {} }));
      const owned = await catalog.owned(word);
      expect(
        owned.map((one) => ({ ...one, tags: [...one.tags].sort(), checks: [...one.checks.keys()] })),
      ).toEqual([{ ...service("1"), tags: ["a", "b"], checks: [`${word}:c`] }]);
    });

    it("replaces a service wholly, with its checks", async () => {
      const { word, service, catalog } = trial();
      await catalog.register(service("1", { checks: [ttl(`${word}:old`), ttl(`${word}:kept`)] }));
      const next = service("1", { port: 9, tags: [], meta: { "managed-by": word, more: "yes" } });
      await catalog.register({ ...next, checks: [ttl(`${word}:kept`), ttl(`${word}:new`)] });
      const [one] = await catalog.owned(word);
      expect({ port: one?.port, tags: one?.tags, meta: one?.meta }).toEqual({
        port: 9,
        tags: [],
        meta: { "managed-by": word, more: "yes" },
      });
      expect([...(one?.checks.keys() ?? [])].sort()).toEqual([`${word}:kept`, `${word}:new`]);
    });

    it("deregisters, and counts what is gone already as done", async () => {
      const { word, service, catalog } = trial();
      await catalog.register(service("1"));
      await catalog.register(service("2"));
      await catalog.deregister(service("1").id);
      await catalog.deregister(service("1").id);
      expect((await catalog.owned(word)).map(({ id }) => id)).toEqual([service("2").id]);
    });

    it("takes reports, which make the state of the instance", async () => {
      const { word, service, catalog } = trial();
      await catalog.register(service("1", { checks: [ttl(`${word}:c`, { initial: "passing" })] }));
      const { seen } = collect((signal) => catalog.watchService(word, { signal }));
      await expect.poll(() => seen.at(-1)?.[0]?.status, { timeout: 5_000 }).toBe("passing");
      for (const status of ["warning", "critical", "passing"] as const) {
        await catalog.report(`${word}:c`, status, `it is ${status}`);
        await expect.poll(() => seen.at(-1)?.[0]?.status, { timeout: 5_000 }).toBe(status);
        const [one] = await catalog.owned(word);
        expect(one?.checks.get(`${word}:c`)).toEqual({ status, output: `it is ${status}` });
      }
    });

    it("throws for a report on a check that is not there", async () => {
      await expect(subject.catalog.report("no-such-check", "passing", "")).rejects.toThrow();
    });

    it("tells of instances as they come and go, sorted, without repeating itself", async () => {
      const { word, service, catalog } = trial();
      const { seen, stop, ended } = collect((signal) => catalog.watchService(word, { signal }));
      await expect.poll(() => seen.length, { timeout: 5_000 }).toBe(1);
      await catalog.register(service("2"));
      await expect.poll(() => seen.at(-1)?.length, { timeout: 5_000 }).toBe(1);
      await catalog.register(service("1", { address: "10.9.9.9", port: 1 }));
      await expect.poll(() => seen.at(-1)?.length, { timeout: 5_000 }).toBe(2);
      expect(
        seen.at(-1)?.map(({ id, address, port, tags, status }) => ({ id, address, port, tags, status })),
      ).toEqual([
        { id: service("1").id, address: "10.9.9.9", port: 1, tags: ["a", "b"], status: "passing" },
        { id: service("2").id, address: "10.1.2.3", port: 8080, tags: ["a", "b"], status: "passing" },
      ]);
      await catalog.deregister(service("1").id);
      await catalog.deregister(service("2").id);
      await expect.poll(() => seen.at(-1)?.length, { timeout: 5_000 }).toBe(0);
      const texts = seen.map((one) => JSON.stringify(one));
      expect(texts.every((one, at) => one !== texts[at - 1])).toBe(true);
      stop.abort();
      await ended;
    });

    it("tells of names and tags as they come and go", async () => {
      const { word, service, catalog } = trial();
      const { seen, stop, ended } = collect((signal) => catalog.watchNames({ signal }));
      await expect.poll(() => seen.length, { timeout: 5_000 }).toBe(1);
      expect(seen[0]?.has(word)).toBe(false);
      await catalog.register(service("1"));
      await expect.poll(() => seen.at(-1)?.get(word), { timeout: 5_000 }).toEqual(["a", "b"]);
      await catalog.deregister(service("1").id);
      await expect.poll(() => seen.at(-1)?.has(word), { timeout: 5_000 }).toBe(false);
      stop.abort();
      await ended;
    });
  });
}
