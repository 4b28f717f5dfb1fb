import { type ConsulCatalogOptions, consulCatalog } from "@sluice/consul";
import { expect, it } from "vitest";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { startRealConsul } from "../servers/consul.ts";

/** What Consul allows one address where nothing else is configured. */
const CONSULS_DEFAULT = 200;
const SERVICES = 400;

async function follow(more: Partial<ConsulCatalogOptions> = {}) {
  const server = await startRealConsul({
    config: { limits: { http_max_conns_per_client: CONSULS_DEFAULT } },
  });
  if (!server) throw new Error("Consul vanished from this machine");
  const catalog = consulCatalog({ address: server.address, ...more });
  const stopping = new AbortController();
  const failures: unknown[] = [];
  const seen = new Map<string, number>();
  const { signal } = stopping;
  const watches = Array.from({ length: SERVICES }, async (_, at) => {
    const name = `many-${at}`;
    const options = { signal, onError: (error: unknown) => void failures.push(error) };
    for await (const instances of catalog.watchService(name, options)) seen.set(name, instances.length);
  });
  return {
    catalog,
    failures,
    seen,
    async stop() {
      stopping.abort();
      await Promise.all(watches);
      catalog.close();
      await server.stop();
    },
  };
}

const instance = (service: number, number: number) => ({
  id: `many-${service}-${number}`,
  name: `many-${service}`,
  address: "10.0.0.1",
  port: 80,
  tags: [],
  meta: {},
  checks: [],
});

describeWithServer("400 watches on a real Consul with its own limit", { consul: hasConsul() }, () => {
  it("all hear of every change, and leave room for other requests", async () => {
    const { catalog, failures, seen, stop } = await follow();
    const having = (count: number) => [...seen].filter(([, one]) => one === count).map(([name]) => name);
    try {
      await expect.poll(() => seen.size, { timeout: 30_000 }).toBe(SERVICES);
      const all = Array.from({ length: SERVICES }, (_, at) => at);
      await Promise.all(all.map((at) => catalog.register(instance(at, 1))));
      await expect.poll(() => having(1).length, { timeout: 30_000 }).toBe(SERVICES);
      for (const at of [0, 99, 199, 299, 399]) await catalog.register(instance(at, 2));
      const wanted = ["many-0", "many-199", "many-299", "many-399", "many-99"];
      await expect.poll(() => having(2).sort(), { timeout: 30_000 }).toEqual(wanted);
      expect(failures).toEqual([]);
    } finally {
      await stop();
    }
  }, 120_000);

  it("are refused where none waits for its turn", async () => {
    const { failures, seen, stop } = await follow({ heldAtOnce: SERVICES });
    try {
      await expect.poll(() => failures.length > 0, { timeout: 30_000 }).toBe(true);
      expect(seen.size).toBeGreaterThan(0);
    } finally {
      await stop();
    }
  }, 90_000);
});
