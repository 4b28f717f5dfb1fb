import { beforeAll, expect, it } from "vitest";
import { describeConsuls, type Target } from "./consul-http-target.ts";

const PLAIN = "text/plain; charset=utf-8";
const JSON_TYPE = "application/json";
const NOBODY = "11111111-1111-1111-1111-111111111111";
const NO_UUID = "failed session lookup: index error: UUID must be 36 characters";

/** method, path, body, then what comes back: status, content type, body. */
type Row = [string, string, string | undefined, number, string | null, string];

/** Every request leaves the server as it was, so their order does not matter. */
const KV: Row[] = [
  ["GET", "/v1/kv/answers/none", undefined, 404, null, ""],
  ["GET", "/v1/kv/answers/none?recurse", undefined, 404, null, ""],
  ["GET", "/v1/kv/answers/none?keys", undefined, 404, null, ""],
  ["GET", "/v1/kv/", undefined, 400, PLAIN, "Missing key name"],
  ["PUT", "/v1/kv/", "x", 400, PLAIN, "Missing key name"],
  ["DELETE", "/v1/kv/", undefined, 400, PLAIN, "Missing key name"],
  ["GET", "/v1/kv/answers/a?raw", undefined, 200, "text/plain", "hello"],
  ["GET", "/v1/kv/answers/?keys", undefined, 200, JSON_TYPE, '["answers/a","answers/b/c","answers/b/d"]'],
  ["GET", "/v1/kv/answers/?keys&separator=/", undefined, 200, JSON_TYPE, '["answers/a","answers/b/"]'],
  ["GET", "/v1/kv/answers?keys&separator=/", undefined, 200, JSON_TYPE, '["answers/"]'],
  ["GET", "/v1/kv/answers/b/?keys&separator=", undefined, 200, JSON_TYPE, '["answers/b/c","answers/b/d"]'],
  ["PUT", "/v1/kv/answers/a", "hello", 200, JSON_TYPE, "true"],
  ["PUT", "/v1/kv/answers/a?cas=0", "z", 200, JSON_TYPE, "false"],
  ["PUT", "/v1/kv/answers/a?cas=1", "z", 200, JSON_TYPE, "false"],
  ["PUT", "/v1/kv/answers/none?cas=1", "z", 200, JSON_TYPE, "false"],
  ["PUT", "/v1/kv/answers/a?cas=x", "z", 500, PLAIN, 'strconv.ParseUint: parsing "x": invalid syntax'],
  ["PUT", "/v1/kv/answers/a?cas=", "z", 500, PLAIN, 'strconv.ParseUint: parsing "": invalid syntax'],
  ["PUT", "/v1/kv/answers/a?flags=-1", "z", 500, PLAIN, 'strconv.ParseUint: parsing "-1": invalid syntax'],
  ["PUT", "/v1/kv/answers/a?cas=1&acquire=x", "z", 400, PLAIN, "Conflicting flags: acquire=x&cas=1"],
  ["PUT", "/v1/kv/answers/a?release=1&acquire=x", "z", 400, PLAIN, "Conflicting flags: acquire=x&release=1"],
  ["PUT", "/v1/kv/answers/a?acquire=", "z", 500, PLAIN, "missing session"],
  ["PUT", "/v1/kv/answers/a?acquire=x", "z", 500, PLAIN, NO_UUID],
  ["PUT", `/v1/kv/answers/a?acquire=${NOBODY}`, "z", 500, PLAIN, `invalid session "${NOBODY}"`],
  ["PUT", `/v1/kv/answers/a?release=${NOBODY}`, "z", 200, JSON_TYPE, "false"],
  ["DELETE", "/v1/kv/answers/none", undefined, 200, JSON_TYPE, "true"],
  ["DELETE", "/v1/kv/answers/none?recurse", undefined, 200, JSON_TYPE, "true"],
  ["DELETE", "/v1/kv/answers/none?cas=3", undefined, 200, JSON_TYPE, "true"],
  ["DELETE", "/v1/kv/answers/a?cas=0", undefined, 200, JSON_TYPE, "false"],
  ["DELETE", "/v1/kv/answers/a?cas=1", undefined, 200, JSON_TYPE, "false"],
  [
    "DELETE",
    "/v1/kv/answers/a?cas=x",
    undefined,
    500,
    PLAIN,
    'strconv.ParseUint: parsing "x": invalid syntax',
  ],
  ["DELETE", "/v1/kv/answers/a?recurse&cas=1", undefined, 400, PLAIN, "Conflicting flags: cas=1&recurse="],
  ["POST", "/v1/kv/answers/a", "z", 405, PLAIN, "method POST not allowed"],
  ["PATCH", "/v1/kv/answers/a", "z", 405, PLAIN, "method PATCH not allowed"],
  ["OPTIONS", "/v1/kv/answers/a", undefined, 200, null, ""],
  ["GET", "/v1/kv/answers/a?wait=xx", undefined, 400, PLAIN, "Invalid wait time"],
  ["GET", "/v1/kv/answers/a?index=xx", undefined, 400, PLAIN, "Invalid index"],
  ["GET", "/v1/kv/answers/a?index=-1", undefined, 400, PLAIN, "Invalid index"],
  ["GET", "/v1/kv/answers/a?max_stale=xx&stale", undefined, 400, PLAIN, 'Invalid max_stale value "xx"'],
  ["GET", "/v1/kv/answers/a?dc=nope", undefined, 500, PLAIN, "No path to datacenter"],
  ["GET", "/v1/kv/answers/a?raw&dc=dc1", undefined, 200, "text/plain", "hello"],
  ["GET", "/v1/kv/answers/a?raw&stale", undefined, 200, "text/plain", "hello"],
  ["GET", "/v1/kv/answers/a?raw&consistent", undefined, 200, "text/plain", "hello"],
  [
    "GET",
    "/v1/kv/answers/a?stale&consistent",
    undefined,
    400,
    PLAIN,
    "Cannot specify ?stale with ?consistent, conflicting semantics.",
  ],
];

const OTHERS: Row[] = [
  ["GET", "/v1/nope", undefined, 404, null, ""],
  ["GET", "/nope", undefined, 404, null, ""],
  ["PUT", "/v1/agent/nope", "x", 404, null, ""],
  ["GET", "/", undefined, 200, PLAIN, "Consul Agent"],
  ["PUT", "/v1/status/leader", "x", 405, PLAIN, "method PUT not allowed"],
  ["GET", "/v1/txn", undefined, 405, PLAIN, "method GET not allowed"],
  [
    "PUT",
    "/v1/session/create",
    "x",
    400,
    PLAIN,
    requestError("invalid character 'x' looking for beginning of value"),
  ],
  ["PUT", "/v1/session/create", '{"TTL":"1s"}', 500, PLAIN, ttlError("1000000000")],
  ["PUT", "/v1/session/create", '{"TTL":"100000s"}', 500, PLAIN, ttlError("100000000000000")],
  [
    "PUT",
    "/v1/session/create",
    '{"TTL":"xx"}',
    500,
    PLAIN,
    `Session TTL 'xx' invalid: time: invalid duration "xx"`,
  ],
  ["PUT", "/v1/session/create", '{"Behavior":"xx"}', 500, PLAIN, "Invalid Behavior setting 'xx'"],
  ["PUT", "/v1/session/create", '{"Node":"xx"}', 500, PLAIN, "Missing node registration"],
  [
    "PUT",
    "/v1/session/create",
    '{"LockDelay":"xx"}',
    400,
    PLAIN,
    requestError('time: invalid duration "xx"'),
  ],
  ["PUT", "/v1/session/create", '{"Checks":["nope"]}', 500, PLAIN, "Missing check 'nope' registration"],
  ["GET", "/v1/session/create", undefined, 405, PLAIN, "method GET not allowed"],
  ["GET", `/v1/session/info/${NOBODY}`, undefined, 200, JSON_TYPE, "[]"],
  ["GET", "/v1/session/info/x", undefined, 500, PLAIN, NO_UUID],
  ["GET", "/v1/session/info/", undefined, 400, PLAIN, "Missing session"],
  ["GET", "/v1/session/node/none", undefined, 200, JSON_TYPE, "[]"],
  ["PUT", `/v1/session/renew/${NOBODY}`, "", 404, PLAIN, `Session id '${NOBODY}' not found`],
  ["PUT", "/v1/session/renew/x", "", 500, PLAIN, NO_UUID],
  ["PUT", `/v1/session/destroy/${NOBODY}`, "", 200, JSON_TYPE, "true"],
  ["PUT", "/v1/session/destroy/", "", 400, PLAIN, "Missing session"],
  ["GET", "/v1/catalog/datacenters", undefined, 200, JSON_TYPE, '["dc1"]'],
  ["GET", "/v1/catalog/service/none", undefined, 200, JSON_TYPE, "[]"],
  ["GET", "/v1/catalog/service/", undefined, 400, PLAIN, "Missing service name"],
  ["GET", "/v1/catalog/node/none", undefined, 200, JSON_TYPE, "null"],
  ["GET", "/v1/catalog/node/", undefined, 400, PLAIN, "Missing node name"],
  ["PUT", "/v1/catalog/register", "{}", 500, PLAIN, "Must provide node"],
  [
    "PUT",
    "/v1/catalog/register",
    '{"Node":"n1"}',
    500,
    PLAIN,
    "Must provide address if SkipNodeUpdate is not set",
  ],
  ["PUT", "/v1/catalog/deregister", "{}", 500, PLAIN, "Must provide node"],
  ["PUT", "/v1/catalog/deregister", '{"Node":"none"}', 200, JSON_TYPE, "true"],
  ["GET", "/v1/health/service/none", undefined, 200, JSON_TYPE, "[]"],
  ["GET", "/v1/health/service/none?passing=xx", undefined, 400, PLAIN, "Invalid value for ?passing"],
  ["GET", "/v1/health/state/", undefined, 400, PLAIN, "Missing check state"],
  ["GET", "/v1/health/checks/none", undefined, 200, JSON_TYPE, "[]"],
  ["GET", "/v1/agent/service/none", undefined, 404, PLAIN, "unknown service ID: none"],
  ["PUT", "/v1/agent/service/register", "{}", 400, PLAIN, "Missing service name"],
  [
    "PUT",
    "/v1/agent/service/register",
    '{"Name":"web","Nope":1}',
    400,
    PLAIN,
    requestError('json: unknown field "Nope"'),
  ],
  [
    "PUT",
    "/v1/agent/service/register",
    '{"Name":"web","Port":"80"}',
    400,
    PLAIN,
    requestError("json: cannot unmarshal string into Go struct field .Port of type int"),
  ],
  [
    "PUT",
    "/v1/agent/check/register",
    '{"Name":"a","TTL":"1h","CheckID":"x"}',
    400,
    PLAIN,
    requestError('json: unknown field "CheckID"'),
  ],
  [
    "PUT",
    "/v1/agent/service/register",
    '{"Name":"a","Check":{"TTL":"1h","ID":"x"}}',
    400,
    PLAIN,
    requestError('json: unknown field "ID"'),
  ],
  ["PUT", "/v1/agent/check/register", "{}", 400, PLAIN, "Missing check name"],
  [
    "PUT",
    "/v1/agent/check/register",
    '{"Name":"a"}',
    400,
    PLAIN,
    "Invalid check: TTL must be > 0 for TTL checks",
  ],
  [
    "PUT",
    "/v1/agent/check/register",
    '{"Name":"a","HTTP":"http://127.0.0.1:1/"}',
    400,
    PLAIN,
    "Invalid check: Interval must be > 0 for Script, HTTP, or TCP checks",
  ],
];

describeConsuls("answers", (target) => {
  beforeAll(async () => {
    for (const key of ["a", "b/c", "b/d"]) await target().call("PUT", `/v1/kv/answers/${key}`, "hello");
  });

  it.each([...KV, ...OTHERS])("%s %s %s → %i %s %s", async (method, path, body, status, type, text) => {
    const reply = await target().call(method, path, body);
    expect([reply.status, reply.headers.get("content-type"), reply.text]).toEqual([status, type, text]);
  });

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

function requestError(reason: string): string {
  return `Request decode failed: ${reason}`;
}

function ttlError(nanoseconds: string): string {
  return `Invalid Session TTL '${nanoseconds}', must be between [10s=24h0m0s]`;
}
