import { isSluiceError } from "@sluice/core";
import { afterEach, describe, expect, it } from "vitest";
import { type Answer, type ScriptedConsul, scriptedConsul } from "../testing/scripted-consul.ts";
import { type ConsulCatalog, consulCatalog } from "./consul-catalog.ts";

const DENIED: Answer = { status: 403, body: "Permission denied" };
const UNKNOWN: Answer = { status: 404, body: [] };

/** What rules let a token see, as a Consul before 1.11 tells it: without a word on what is left out. */
interface Sight {
  /** Names in `/catalog/services`. */
  names: readonly string[];
  /** Instances in `/health/service/…` of each. */
  instances: number;
  /** Services that the token may read. */
  readable: readonly string[];
  /** Ids of the owner's services at the agent, which bear their names. */
  owned: readonly string[];
}

describe("a token with too few rules on a Consul that does not tell what it leaves out", () => {
  let server: ScriptedConsul;
  let catalog: ConsulCatalog;
  const stop = new AbortController();
  let sight: Sight;

  afterEach(async () => {
    catalog.close();
    await server.stop();
  });

  async function start(first: Sight) {
    sight = first;
    let index = 0;
    server = await scriptedConsul(({ path, query }) => {
      const name = path.split("/").at(-1) ?? "";
      // A blocking query is answered soon: with what there is by then.
      const headers = { "x-consul-index": String(query.index ? ++index : Math.max(1, index)) };
      if (path.startsWith("/agent/health/service/name/"))
        return sight.readable.includes(name) ? UNKNOWN : DENIED;
      if (path === "/agent/services") return { body: Object.fromEntries(sight.owned.map(agentService)) };
      if (path === "/agent/checks") return { body: {} };
      if (path === "/catalog/services")
        return { headers, body: Object.fromEntries(sight.names.map((one) => [one, []])) };
      return { headers, body: Array.from({ length: sight.instances }, (_, at) => instance(name, at)) };
    });
    catalog = consulCatalog({ address: server.address, waitMs: 100 });
  }

  function follow<T>(watch: (options: object) => AsyncIterable<T>) {
    const seen: T[] = [];
    const errors: string[] = [];
    let recovered = 0;
    void (async () => {
      const onError = (error: unknown) => errors.push(isSluiceError(error) ? error.message : String(error));
      const onRecovered = () => {
        recovered += 1;
      };
      for await (const one of watch({ signal: stop.signal, onError, onRecovered })) seen.push(one);
    })();
    return { seen, errors, recovered: () => recovered };
  }
  const names = () => follow((options) => catalog.watchNames(options as never));
  const web = () => follow((options) => catalog.watchService("web", options as never));

  it("sees no catalog without a service, since Consul is always in its own", async () => {
    await start({ names: [], instances: 0, readable: [], owned: [] });
    const { seen, errors, recovered } = names();
    await expect.poll(() => errors[0]).toMatch(/the token needs: service_prefix "" \{ policy = "read" \}$/);
    sight.names = ["consul", "web"];
    await expect
      .poll(() => seen.map((one) => [...one.keys()]), { timeout: 5_000 })
      .toEqual([["consul", "web"]]);
    expect(recovered()).toBe(1);
  });

  it("does not take a name that it may not read any more for gone", async () => {
    await start({ names: ["consul", "web"], instances: 0, readable: ["consul", "web"], owned: [] });
    const { seen, errors } = names();
    await expect.poll(() => seen.length).toBe(1);
    sight = { ...sight, names: ["consul"], readable: ["consul"] };
    await expect
      .poll(() => errors[0], { timeout: 5_000 })
      .toMatch(/needs: service "web" \{ policy = "read" \}$/);
    expect(seen).toHaveLength(1);
    sight.readable = ["consul", "web"];
    await expect
      .poll(() => seen.map((one) => [...one.keys()]), { timeout: 10_000 })
      .toEqual([["consul", "web"], ["consul"]]);
  });

  it("does not take a service whose nodes it may not read for one without instances", async () => {
    await start({ names: ["consul", "web"], instances: 2, readable: ["web"], owned: [] });
    const { seen, errors, recovered } = web();
    await expect.poll(() => seen.map((one) => one.length)).toEqual([2]);
    sight.instances = 0;
    await expect
      .poll(() => errors[0], { timeout: 5_000 })
      .toMatch(/needs: node_prefix "" \{ policy = "read" \}$/);
    expect(seen).toHaveLength(1);
    sight.instances = 2;
    await expect.poll(recovered, { timeout: 10_000 }).toBe(1);
    sight = { ...sight, instances: 0, names: ["consul"] };
    await expect.poll(() => seen.map((one) => one.length), { timeout: 10_000 }).toEqual([2, 0]);
  });

  it("does not take what it registered and may not read any more for gone", async () => {
    await start({ names: [], instances: 0, readable: ["a", "b"], owned: ["a", "b"] });
    const ids = async () => (await catalog.owned("me")).map(({ id }) => id);
    expect(await ids()).toEqual(["a", "b"]);
    sight = { ...sight, owned: ["a"], readable: ["a"] };
    await expect(ids()).rejects.toMatchObject({
      code: "KV_DENIED",
      message: expect.stringMatching(/needs: service "b" \{ policy = "read" \}$/),
    });
    sight.readable = ["a", "b"];
    expect(await ids()).toEqual(["a"]);
  });
});

function agentService(id: string) {
  return [id, { ID: id, Service: id, Address: "", Port: 1, Meta: { "managed-by": "me" } }];
}

function instance(name: string, at: number) {
  const Service = { ID: `${name}-${at}`, Service: name, Address: "10.0.0.1", Port: at };
  return { Node: { Node: "n", Address: "10.0.0.1" }, Service, Checks: [] };
}
