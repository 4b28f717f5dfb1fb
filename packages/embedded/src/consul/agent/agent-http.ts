import { createHash } from "node:crypto";
import { parseService } from "../catalog/registration.ts";
import type { CheckStatus, Service } from "../catalog/types.ts";
import { type Answer, ConsulError, done, json } from "../http/answer.ts";
import { decodeJson, fieldsOf, refuseUnknown, text } from "../http/go-json.ts";
import { checkCommonOptions, type Request } from "../http/request.ts";
import type { Route } from "../http/router.ts";
import type { Agent } from "./agent.ts";
import { parseCheckDefinition, parseServiceChecks } from "./definition.ts";
import { CHECK_FIELDS, SERVICE_FIELDS } from "./fields.ts";

export function agentRoutes(agent: Agent): Route[] {
  return [
    { path: "/v1/agent/services", methods: { GET: (request) => services(request, agent) } },
    { path: "/v1/agent/service/", methods: { GET: (request) => service(request, agent) } },
    { path: "/v1/agent/service/register", methods: { PUT: (request) => registerService(request, agent) } },
    {
      path: "/v1/agent/service/deregister/",
      methods: { PUT: (request) => deregisterService(request, agent) },
    },
    { path: "/v1/agent/checks", methods: { GET: (request) => checks(request, agent) } },
    { path: "/v1/agent/check/register", methods: { PUT: (request) => registerCheck(request, agent) } },
    { path: "/v1/agent/check/deregister/", methods: { PUT: (request) => deregisterCheck(request, agent) } },
    { path: "/v1/agent/check/pass/", methods: { PUT: (request) => heard(request, agent, "passing") } },
    { path: "/v1/agent/check/warn/", methods: { PUT: (request) => heard(request, agent, "warning") } },
    { path: "/v1/agent/check/fail/", methods: { PUT: (request) => heard(request, agent, "critical") } },
    { path: "/v1/agent/check/update/", methods: { PUT: (request) => update(request, agent) } },
  ];
}

function services(request: Request, agent: Agent): Answer {
  checkCommonOptions(request);
  return json(Object.fromEntries(agent.services().map((one) => [one.ID, agentForm(one)])));
}

function service({ rest }: Request, agent: Agent): Answer {
  const found = agent.service(rest);
  if (!found) throw new ConsulError(404, `unknown service ID: ${rest}`);
  const shown = agentForm(found);
  const hash = createHash("sha256").update(JSON.stringify(shown)).digest("hex").slice(0, 16);
  return json({ ...shown, ContentHash: hash }, { "X-Consul-ContentHash": hash });
}

/** The agent shows a service without the catalog's indexes. */
function agentForm(service: Service): object {
  const {
    CreateIndex: _create,
    ModifyIndex: _modify,
    ID,
    Service,
    Tags,
    Meta,
    Port,
    Address,
    ...rest
  } = service;
  return { ID, Service, Tags, Meta: Meta ?? {}, Port, Address, ...rest };
}

async function registerService({ body, query }: Request, agent: Agent): Promise<Answer> {
  const fields = decodeKnown(body, SERVICE_FIELDS);
  const wanted = parseService(fields, "Name");
  const wantedChecks = parseServiceChecks(fields, { id: wanted.ID, name: wanted.Service });
  await agent.registerService(wanted, wantedChecks, query.has("replace-existing-checks"));
  return done();
}

async function deregisterService({ rest }: Request, agent: Agent): Promise<Answer> {
  if (rest === "") throw new ConsulError(500, "ServiceID missing");
  await agent.deregisterService(rest);
  return done();
}

function checks(request: Request, agent: Agent): Answer {
  checkCommonOptions(request);
  return json(Object.fromEntries(agent.checks().map((one) => [one.CheckID, one])));
}

async function registerCheck({ body }: Request, agent: Agent): Promise<Answer> {
  const fields = decodeKnown(body, CHECK_FIELDS);
  if (text(fields, "Name") === "") throw new ConsulError(400, "Missing check name");
  const check = parseCheckDefinition(fields);
  await agent.registerCheck({ ...check, id: check.id || check.name });
  return done();
}

async function deregisterCheck({ rest }: Request, agent: Agent): Promise<Answer> {
  await agent.deregisterCheck(rest);
  return done();
}

async function heard({ rest, query }: Request, agent: Agent, status: CheckStatus): Promise<Answer> {
  await agent.heard(rest, { status, output: query.get("note") ?? "" });
  return done();
}

async function update({ rest, body }: Request, agent: Agent): Promise<Answer> {
  const fields = decodeKnown(body, ["Status", "Output", "CheckID"]);
  const status = text(fields, "Status") || "passing";
  if (status !== "passing" && status !== "warning" && status !== "critical") {
    throw new ConsulError(400, `Invalid check status: '${status}'`);
  }
  await agent.heard(rest, { status, output: text(fields, "Output") });
  return done();
}

/** The agent, unlike the catalog, refuses fields it does not know. */
function decodeKnown(body: Buffer, known: readonly string[]) {
  const parsed = decodeJson(body, "Request decode failed");
  const fields = fieldsOf(parsed);
  if (!fields) throw new ConsulError(400, "Request decode failed: json: cannot unmarshal into Go value");
  refuseUnknown(parsed as object, known);
  return fields;
}
