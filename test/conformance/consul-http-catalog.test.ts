import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, vi } from "vitest";
import { describeConsuls, freshPrefix, json, withoutIndexes } from "./consul-http-target.ts";

const INDEXES = { CreateIndex: "INDEX", ModifyIndex: "INDEX" };
const PLAIN_PROXY = { Proxy: { MeshGateway: {}, Expose: {} }, Connect: {} };
const WEIGHTS = { Passing: 1, Warning: 1 };
/** The agent of a real Consul tells its servers within moments. */
const SOON = { timeout: 10_000, interval: 50 };

interface HealthEntry {
  Service: { ID: string };
  Checks: { CheckID: string; Status: string; Output: string }[];
}

describeConsuls("catalog, health and agent", (target) => {
  const get = async (path: string) => withoutIndexes((await target().call("GET", path)).text);
  const put = (path: string, body: object = {}) => target().call("PUT", path, JSON.stringify(body));
  const fresh = () => freshPrefix().slice(0, -1);
  const statuses = async (name: string) =>
    json<HealthEntry[]>(await target().call("GET", `/v1/health/service/${name}`)).flatMap(({ Checks }) =>
      Checks.filter(({ CheckID }) => CheckID !== "serfHealth").map(({ CheckID, Status }) => [
        CheckID,
        Status,
      ]),
    );

  it("shows what is registered from outside everywhere, and nothing of it once it is gone", async () => {
    const name = fresh();
    const check = { Node: name, CheckID: "up", Name: "up", Status: "passing", Notes: "", Output: "fine" };
    await put("/v1/catalog/register", {
      Node: name,
      Address: "10.0.0.9",
      NodeMeta: { a: "b" },
      Service: {
        ID: `${name}-1`,
        Service: name,
        Tags: ["x"],
        Port: 9,
        Address: "10.0.0.10",
        Meta: { k: "v" },
      },
      Checks: [{ ...check, ServiceID: `${name}-1` }, { Name: "node-check" }],
    });
    const node = { ID: "", Node: name, Address: "10.0.0.9", Datacenter: "dc1", TaggedAddresses: null };
    const service = {
      ID: `${name}-1`,
      Service: name,
      Tags: ["x"],
      Address: "10.0.0.10",
      Meta: { k: "v" },
      Port: 9,
    };
    const fullNode = { ...node, Meta: { a: "b" }, ...INDEXES };
    const fullService = {
      ...service,
      Weights: WEIGHTS,
      EnableTagOverride: false,
      ...PLAIN_PROXY,
      ...INDEXES,
    };
    const ofService = { ServiceID: `${name}-1`, ServiceName: name, ServiceTags: ["x"] };
    const bare = { Type: "", Definition: {}, ...INDEXES };
    const fullCheck = { ...check, ...ofService, ...bare };
    const empty = { Notes: "", Output: "", ServiceID: "", ServiceName: "", ServiceTags: [] };
    const nodeCheck = {
      Node: name,
      CheckID: "node-check",
      Name: "node-check",
      Status: "critical",
      ...empty,
      ...bare,
    };

    expect(await get(`/v1/catalog/node/${name}`)).toEqual({
      Node: fullNode,
      Services: { [`${name}-1`]: fullService },
    });
    expect(await get(`/v1/health/service/${name}`)).toEqual([
      { Node: fullNode, Service: fullService, Checks: [nodeCheck, fullCheck] },
    ]);
    expect(await get(`/v1/health/checks/${name}`)).toEqual([fullCheck]);
    expect(await get(`/v1/health/node/${name}`)).toEqual([nodeCheck, fullCheck]);
    expect(await get(`/v1/catalog/service/${name}`)).toEqual([
      {
        ...node,
        NodeMeta: { a: "b" },
        ServiceKind: "",
        ServiceID: `${name}-1`,
        ServiceName: name,
        ServiceTags: ["x"],
        ServiceAddress: "10.0.0.10",
        ServiceWeights: WEIGHTS,
        ServiceMeta: { k: "v" },
        ServicePort: 9,
        ServiceEnableTagOverride: false,
        ServiceProxy: PLAIN_PROXY.Proxy,
        ServiceConnect: {},
        ...INDEXES,
      },
    ]);
    expect(await get("/v1/catalog/services")).toMatchObject({ [name]: ["x"] });

    await put("/v1/catalog/deregister", { Node: name });
    expect(await get(`/v1/catalog/node/${name}`)).toBeNull();
    for (const path of ["health/service", "health/checks", "health/node", "catalog/service"]) {
      expect(await get(`/v1/${path}/${name}`)).toEqual([]);
    }
    expect(await get("/v1/catalog/services")).not.toHaveProperty(name);
  });

  it("filters by tags and by health", async () => {
    const name = fresh();
    const ids = async (query: string) =>
      json<HealthEntry[]>(await target().call("GET", `/v1/health/service/${name}${query}`)).map(
        ({ Service }) => Service.ID,
      );
    for (const [id, tags, status] of [
      ["1", ["a"], "passing"],
      ["2", ["a", "b"], "warning"],
      ["3", ["b"], "critical"],
    ] as const) {
      await put("/v1/catalog/register", {
        Node: name,
        Address: "10.0.0.9",
        Service: { ID: id, Service: name, Tags: tags },
        Check: { CheckID: id, Name: id, Status: status, ServiceID: id },
      });
    }
    expect(await ids("")).toEqual(["1", "2", "3"]);
    expect(await ids("?passing")).toEqual(["1"]);
    expect(await ids("?passing=false")).toEqual(["1", "2", "3"]);
    expect(await ids("?tag=a")).toEqual(["1", "2"]);
    expect(await ids("?tag=a&tag=b")).toEqual(["2"]);
    await put("/v1/catalog/deregister", { Node: name, ServiceID: "2" });
    await put("/v1/catalog/deregister", { Node: name, CheckID: "3" });
    expect(await ids("?passing")).toEqual(["1", "3"]);
    await put("/v1/catalog/deregister", { Node: name });
  });

  it("refuses a check of a service that is not there, and with it the whole registration", async () => {
    const name = fresh();
    const reply = await put("/v1/catalog/register", {
      Node: name,
      Address: "1.1.1.1",
      Check: { Name: "c", ServiceID: "z" },
    });
    expect([reply.status, reply.text]).toEqual([
      500,
      `failed inserting check: Missing service registration on node "${name}"`,
    ]);
    expect(await get(`/v1/catalog/node/${name}`)).toBeNull();
  });

  it("keeps the services of its agent", async () => {
    const name = fresh();
    const body = {
      ID: `${name}-1`,
      Name: name,
      Tags: ["a"],
      Address: "10.0.0.1",
      Port: 80,
      Meta: { k: "v" },
    };
    expect((await put("/v1/agent/service/register", body)).text).toBe("");
    const tagged = { Address: "10.0.0.1", Port: 80 };
    const shown = {
      ID: `${name}-1`,
      Service: name,
      Tags: ["a"],
      Meta: { k: "v" },
      Port: 80,
      Address: "10.0.0.1",
      TaggedAddresses: { lan_ipv4: tagged, wan_ipv4: tagged },
      Weights: WEIGHTS,
      EnableTagOverride: false,
    };
    expect(await get("/v1/agent/services")).toMatchObject({ [`${name}-1`]: shown });
    const one = await target().call("GET", `/v1/agent/service/${name}-1`);
    expect(json(one)).toEqual({ ...shown, ContentHash: one.headers.get("x-consul-contenthash") });
    await vi.waitFor(async () => {
      expect(await get(`/v1/catalog/service/${name}`)).toMatchObject([
        { ServiceID: `${name}-1`, Node: target().node },
      ]);
    }, SOON);
    await put(`/v1/agent/service/deregister/${name}-1`);
    expect(await get("/v1/agent/services")).not.toHaveProperty(`${name}-1`);
    await vi.waitFor(async () => expect(await get(`/v1/catalog/service/${name}`)).toEqual([]), SOON);
  });

  it("keeps TTL checks, named as Consul names them", async () => {
    const name = fresh();
    await put("/v1/agent/service/register", {
      Name: name,
      Checks: [{ TTL: "1h" }, { TTL: "1h", Status: "passing" }],
    });
    const [one, two] = [`service:${name}:1`, `service:${name}:2`];
    const become = (...wanted: [string, string][]) =>
      vi.waitFor(async () => expect((await statuses(name)).sort()).toEqual(wanted), SOON);
    await become([one, "critical"], [two, "passing"]);
    await put(`/v1/agent/check/pass/${one}?note=fine`);
    await put(`/v1/agent/check/warn/${two}`);
    await become([one, "passing"], [two, "warning"]);
    await put(`/v1/agent/check/update/${two}`, { Status: "critical", Output: "bad" });
    await become([one, "passing"], [two, "critical"]);
    expect(await get("/v1/agent/checks")).toMatchObject({
      [one]: { Status: "passing", Output: "fine", Type: "ttl", Name: `Service '${name}' check` },
      [two]: { Status: "critical", Output: "bad", ServiceID: name },
    });
    await put("/v1/agent/service/register", { Name: name, Checks: [{ TTL: "1h" }, { TTL: "1h" }] });
    await become([one, "passing"], [two, "critical"]);
    await put(`/v1/agent/service/deregister/${name}`);
    expect(await get("/v1/agent/checks")).not.toHaveProperty([one]);
  });

  it("lets a TTL check expire that is not heard from", async () => {
    const name = fresh();
    await put("/v1/agent/service/register", { Name: name, Check: { TTL: "300ms", Status: "passing" } });
    await vi.waitFor(
      async () => expect(await statuses(name)).toEqual([[`service:${name}`, "critical"]]),
      SOON,
    );
    await put(`/v1/agent/service/deregister/${name}`);
  });

  it.each(["HTTP", "TCP"])("makes %s checks", async (kind) => {
    const name = fresh();
    let code = 200;
    const server = createServer((_, response) => response.writeHead(code).end("body"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const what = kind === "HTTP" ? { HTTP: `http://${address}/` } : { TCP: address };
    await put("/v1/agent/service/register", {
      Name: name,
      Check: { ...what, Interval: "1s", Timeout: "1s" },
    });
    const become = (status: string) =>
      vi.waitFor(async () => expect(await statuses(name)).toEqual([[`service:${name}`, status]]), SOON);
    await become("passing");
    if (kind === "HTTP") {
      code = 429;
      await become("warning");
    }
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await become("critical");
    await put(`/v1/agent/service/deregister/${name}`);
  });

  it("answers unknown checks and services in Consul's words", async () => {
    const reply = await put("/v1/agent/check/register", { Name: "x", TTL: "1h", ServiceID: "nope" });
    expect([reply.status, reply.text]).toEqual([500, 'ServiceID "nope" does not exist']);
  });
});
