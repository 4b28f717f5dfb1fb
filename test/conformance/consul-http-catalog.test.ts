import { expect, it } from "vitest";
import { describeConsuls, freshPrefix, json, withoutIndexes } from "./consul-http-target.ts";

const INDEXES = { CreateIndex: "INDEX", ModifyIndex: "INDEX" };
const PLAIN_PROXY = { Proxy: { MeshGateway: {}, Expose: {} }, Connect: {} };
const WEIGHTS = { Passing: 1, Warning: 1 };

interface HealthEntry {
  Service: { ID: string };
  Checks: { CheckID: string; Status: string; Output: string }[];
}

describeConsuls("catalog and health", (target) => {
  const get = async (path: string) => withoutIndexes((await target().call("GET", path)).text);
  const put = (path: string, body: object = {}) => target().call("PUT", path, JSON.stringify(body));
  const fresh = () => freshPrefix().slice(0, -1);

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
});
