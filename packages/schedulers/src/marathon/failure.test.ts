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
  [302, undefined, "SCHEDULER_UNREACHABLE", "Marathon cannot answer now (302)"],
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
