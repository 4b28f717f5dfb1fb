import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, vi } from "vitest";
import { describeConsuls, freshPrefix, json, withoutIndexes } from "./consul-http-target.ts";

const WEIGHTS = { Passing: 1, Warning: 1 };
/** The agent of a real Consul tells its servers within moments. */
const SOON = { timeout: 10_000, interval: 50 };

interface HealthEntry {
  Service: { ID: string };
  Checks: { CheckID: string; Status: string; Output: string }[];
}

describeConsuls("agent", (target) => {
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
