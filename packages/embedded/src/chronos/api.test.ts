import { afterEach, describe, expect, it } from "vitest";
import { api, child, job } from "./api-fixture.ts";
import { chronosFixture, send } from "./chronos-fixture.ts";

const fixture = chronosFixture();
afterEach(fixture.clean);

describe.each(["2.x", "3.x"] as const)("%s", (profile) => {
  it("answers a write with 204 and no body, and replaces on the next", async () => {
    const { call, jobs, post } = await api(fixture, profile);
    await post(job("a", { retries: 5, description: "first" }));
    expect(await call("POST /iso8601", job("a"))).toMatchObject({ status: 204, text: "", type: null });
    expect((await jobs()).a).toMatchObject({ retries: 2, description: "", successCount: 0 });
  });

  it("takes the counters from the body", async () => {
    const { jobs, post } = await api(fixture, profile);
    const counters = {
      successCount: 3,
      errorCount: 2,
      errorsSinceLastSuccess: 1,
      lastSuccess: "2025-01-01T00:00:00.000Z",
    };
    await post(job("a", counters));
    expect((await jobs()).a).toMatchObject(counters);
    await post(job("a"));
    expect((await jobs()).a).toMatchObject({ successCount: 0, errorCount: 0, lastSuccess: "" });
  });

  it("turns a scheduled job into a dependent one and back", async () => {
    const { jobs, post, call } = await api(fixture, profile);
    await post(job("a"), job("b"));
    await post(child("b", "a"));
    expect((await jobs()).b).not.toHaveProperty("schedule");
    expect((await call("GET /graph/csv")).text).toBe("node,a,fresh,idle\nnode,b,fresh,idle\nlink,a,b\n");
    await post(job("b"));
    expect((await jobs()).b).not.toHaveProperty("parents");
    expect((await call("GET /graph/csv")).text).toBe("node,a,fresh,idle\nnode,b,fresh,idle\n");
  });

  it("deletes; the children of a dependent job inherit its parents", async () => {
    const { jobs, post, call } = await api(fixture, profile);
    await post(job("a"), child("b", "a"), child("c", "b"));
    expect(await call("DELETE /job/b")).toMatchObject({ status: 204, text: "" });
    expect(Object.keys(await jobs())).toEqual(["a", "c"]);
    expect((await jobs()).c).toMatchObject({ parents: ["a"] });
    expect((await call("DELETE /job/b")).status).toBe(400);
  });

  it("draws the graph", async () => {
    const { post, call } = await api(fixture, profile);
    await post(job("a"), child("b", "a"));
    expect((await call("GET /graph/dot")).text).toBe(
      'digraph G {\n  1 [ label="a" ];\n  2 [ label="b" ];\n  1 -> 2;\n}\n',
    );
  });

  it("finds jobs by name, command and any", async () => {
    const { post, call } = await api(fixture, profile);
    await post(job("Alpha", { command: "echo one" }), job("beta", { command: "echo two" }), job("gamma"));
    const found = async (query: string) =>
      ((await call(`GET /jobs/search?${query}`)).json as { name: string }[]).map((one) => one.name);
    expect(await found("name=alph")).toEqual(["Alpha"]);
    expect(await found("command=ECHO")).toEqual(["Alpha", "beta"]);
    expect(await found("name=beta&command=one")).toEqual([]);
    expect(await found("name=beta&command=one&any=gam")).toEqual(["gamma"]);
    expect(await found("any=nothing")).toEqual(["Alpha", "beta", "gamma"]);
    expect(await found("limit=1&offset=1")).toEqual(["beta"]);
  });

  it("fills fetch and uris from each other in /jobs only", async () => {
    const { jobs, post, call } = await api(fixture, profile);
    await post(job("a", { uris: ["/etc/x"] }));
    const fetch = [{ uri: "/etc/x", executable: false, cache: false, extract: true }];
    expect((await jobs()).a).toMatchObject({ uris: ["/etc/x"], fetch });
    expect((await call("GET /jobs/search?name=a")).json).toMatchObject([{ uris: ["/etc/x"], fetch: [] }]);
  });

  it("says who leads and that it is there", async () => {
    const { chronos, call } = await api(fixture, profile);
    expect((await call("GET /leader")).json).toEqual({ leader: `127.0.0.1:${chronos.port}` });
    expect(await send(chronos, "GET /ping")).toMatchObject({ status: 200, text: "pong" });
    expect((await send(chronos, "GET /nowhere")).status).toBe(404);
  });
});
