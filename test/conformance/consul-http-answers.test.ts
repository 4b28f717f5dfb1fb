import { beforeAll, expect, it } from "vitest";
import { KV_ANSWERS, OTHER_ANSWERS } from "./consul-http-answer-tables.ts";
import { describeConsuls, type Target } from "./consul-http-target.ts";

describeConsuls("answers", (target) => {
  beforeAll(async () => {
    for (const key of ["a", "b/c", "b/d"]) await target().call("PUT", `/v1/kv/answers/${key}`, "hello");
  });

  it.each([...KV_ANSWERS, ...OTHER_ANSWERS])(
    "%s %s %s → %i %s %s",
    async (method, path, body, status, type, text) => {
      const reply = await target().call(method, path, body);
      expect([reply.status, reply.headers.get("content-type"), reply.text]).toEqual([status, type, text]);
    },
  );

  it("names the allowed methods", async () => {
    expect((await target().call("POST", "/v1/kv/a", "")).headers.get("allow")).toBe("OPTIONS,GET,PUT,DELETE");
    expect((await target().call("GET", "/v1/txn")).headers.get("allow")).toBe("OPTIONS,PUT");
  });

  it.each([
    ["/v1/kv//lead", "/v1/kv/lead"],
    ["/v1/kv/do//uble", "/v1/kv/do/uble"],
    ["/v1/kv", "/v1/kv/"],
  ])("redirects %s to %s", async (path, location) => {
    const reply = await target().call("PUT", path, "x");
    expect([reply.status, reply.headers.get("location")]).toEqual([301, location]);
  });

  it.each<[string, (at: Target) => [string, string]]>([
    ["kv_max_value_size", () => ["/v1/kv/answers/big", "x".repeat(524_289)]],
    ["txn_max_req_len", () => ["/v1/txn", `[${" ".repeat(524_288)}]`]],
  ])("refuses a body beyond %s with 413", async (option, request) => {
    const [path, body] = request(target());
    const reply = await target().call("PUT", path, body);
    expect(reply.status).toBe(413);
    expect(reply.text).toMatch(
      new RegExp(
        `^Request body\\(${body.length} bytes\\) too large, max size: 524288 bytes\\. See .*${option}`,
      ),
    );
  });
});
