import type { Json } from "@sluice/core";
import { expect, it } from "vitest";
import { marathonFailure } from "./failure.ts";

const SENT = { id: "/web", env: { TOKEN: "hunter2" } };
const LOCKED = {
  message: "App is locked by one or more deployments. Override with the option '?force=true'.",
  deployments: [{ id: "d-1" }],
};
const SHAPE = { message: "Invalid JSON", details: [{ path: "/instances", errors: ["error.min"] }] };
const RULES = {
  message: "Object is not valid",
  details: [
    { path: "/", errors: ["AppDefinition must contain a cmd"] },
    { path: "/portDefinitions(0)/name", errors: ["error.pattern", "too long"] },
    { path: "/env(TOKEN)", errors: ["hunter2 is not allowed"] },
    { path: "/cmd", errors: ["run with hunter2"] },
  ],
};

const CASES: [number, Json | undefined, string, string][] = [
  [401, { message: "no" }, "SCHEDULER_DENIED", "Marathon refused the credentials (401)"],
  [403, { message: "Not Authorized" }, "SCHEDULER_DENIED", "Marathon refused the credentials (403)"],
  [
    403,
    { message: "Max number (100) of running deployments is achieved." },
    "SCHEDULER_LOCKED",
    "Marathon has its largest number of deployments running already",
  ],
  [409, LOCKED, "SCHEDULER_LOCKED", "another deployment of the app is running: d-1"],
  [
    409,
    { message: "An app with id [/web] already exists." },
    "SCHEDULER_CONFLICT",
    "Marathon: An app with id [/web] already exists.",
  ],
  [422, SHAPE, "SCHEDULER_INVALID", "Marathon refused the app: instances: error.min"],
  [
    422,
    RULES,
    "SCHEDULER_INVALID",
    "Marathon refused the app: the app: AppDefinition must contain a cmd; portDefinitions.0.name: error.pattern, too long; env.TOKEN: not accepted; cmd: run with •••",
  ],
  [
    400,
    { message: "Invalid JSON", details: "at [Source: hunter2]" },
    "SCHEDULER_INVALID",
    "Marathon refused the app: Invalid JSON",
  ],
  [
    422,
    { message: "Cannot use hunter2\n at stack" },
    "SCHEDULER_INVALID",
    "Marathon refused the app: Cannot use •••",
  ],
  [
    500,
    { message: "queue is full" },
    "SCHEDULER_UNREACHABLE",
    "Marathon cannot answer now (500): queue is full",
  ],
  [429, undefined, "SCHEDULER_UNREACHABLE", "Marathon cannot answer now (429)"],
  [503, undefined, "SCHEDULER_UNREACHABLE", "Marathon cannot answer now (503)"],
  [302, undefined, "SCHEDULER_UNREACHABLE", "Marathon redirects elsewhere (302)"],
  [400, undefined, "SCHEDULER_UNREACHABLE", "Marathon cannot answer now (400)"],
  [404, undefined, "SCHEDULER_UNREACHABLE", "Marathon cannot answer now (404)"],
  [
    415,
    { message: "Unsupported Media Type" },
    "SCHEDULER_INVALID",
    "Marathon refused the request (415): Unsupported Media Type",
  ],
];

it.each(CASES)("says %i %j as %s", (status, json, code, message) => {
  const text = json === undefined ? "<html>hunter2</html>" : JSON.stringify(json);
  expect(marathonFailure({ status, json, text }, SENT)).toMatchObject({ code, message });
});

const PEM = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----";

it.each([
  ["quoted as JSON", `bad value ${JSON.stringify(PEM)}`],
  ["as it is", `bad value ${PEM}`],
  ["cut into lines", `bad line MIIEvQIBADANBgkq of it, and hkiG9w0BAQEFAASC`],
  ["at the cut", `${"x".repeat(290)} MIIEvQIBADANBgkq`],
])("leaves nothing of a secret of several lines, %s", (_how, message) => {
  const sent = { id: "/web", container: { docker: { parameters: [{ key: "env", value: PEM }] } } };
  const json = { message, details: [{ path: "/cmd", errors: [message] }] };
  for (const [status, body] of [
    [422, json],
    [500, { message }],
  ] as const)
    expect(marathonFailure({ status, json: body, text: "" }, sent).message).not.toMatch(/MIIE|hkiG|MIIEvQ/);
});

it("says nothing that Marathon says of a pod's environment", () => {
  const details = [{ path: "/containers(0)/environment(TOKEN)", errors: ["hunter2 is no identifier"] }];
  const json = { message: "Object is not valid", details };
  expect(marathonFailure({ status: 422, json, text: "" }).message).toBe(
    "Marathon refused the app: containers.0.environment.TOKEN: not accepted",
  );
});

it("fields that Marathon names are told apart, each with the words of the message that speak of it", () => {
  expect(marathonFailure({ status: 422, json: RULES, text: "" }, SENT).fields).toEqual([
    { path: "", words: "the app: AppDefinition must contain a cmd" },
    { path: "portDefinitions.0.name", words: "portDefinitions.0.name: error.pattern, too long" },
    { path: "env.TOKEN", words: "env.TOKEN: not accepted" },
    { path: "cmd", words: "cmd: run with •••" },
  ]);
});
