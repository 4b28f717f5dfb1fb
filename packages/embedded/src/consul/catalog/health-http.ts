import { type Answer, ConsulError } from "../http/answer.ts";
import { answerCatalog, type ReadContext } from "../http/reads.ts";
import type { Request } from "../http/request.ts";
import type { Route } from "../http/router.ts";
import { shown, taggedInstances } from "./catalog-http.ts";
import { CHECKS_TOPIC, maxIndex, serviceIndex, serviceTopic } from "./indexes.ts";
import { listChecks } from "./reads.ts";
import type { Check, Node, Service } from "./types.ts";

export function healthRoutes(context: ReadContext): Route[] {
  return [
    { path: "/v1/health/service/", methods: { GET: (request) => service(request, context) } },
    { path: "/v1/health/state/", methods: { GET: (request) => state(request, context) } },
    { path: "/v1/health/node/", methods: { GET: (request) => node(request, context) } },
    { path: "/v1/health/checks/", methods: { GET: (request) => ofService(request, context) } },
  ];
}

interface HealthEntry {
  Node: Node;
  Service: object;
  Checks: Check[];
}

function service(request: Request, context: ReadContext): Answer | Promise<Answer> {
  const name = named(request, "Missing service name");
  const passing = onlyPassing(request.query);
  const tags = request.query.getAll("tag");
  const run = () => {
    const entries = healthEntries(taggedInstances(context, name, tags), context);
    const isPassing = ({ Checks }: HealthEntry) => Checks.every(({ Status }) => Status === "passing");
    const value = passing ? entries.filter(isPassing) : entries;
    return { index: serviceIndex(context.read, name), value };
  };
  return answerCatalog(request, context, { run, topics: [serviceTopic(name)] });
}

/** Each instance with the checks of its node, then its own. */
function healthEntries(instances: { node: Node; service: Service }[], { read }: ReadContext): HealthEntry[] {
  const byNode = new Map<string, Check[]>();
  return instances.map(({ node, service }) => {
    const checks = byNode.get(node.Node) ?? listChecks(read, node.Node);
    byNode.set(node.Node, checks);
    const ofNode = checks.filter(({ ServiceID }) => ServiceID === "");
    const own = checks.filter(({ ServiceID }) => ServiceID === service.ID);
    return { Node: node, Service: shown(service), Checks: [...ofNode, ...own] };
  });
}

function onlyPassing(query: URLSearchParams): boolean {
  const given = query.get("passing");
  if (given === null) return false;
  if (["", "1", "t", "T", "TRUE", "true", "True"].includes(given)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(given)) return false;
  throw new ConsulError(400, "Invalid value for ?passing");
}

function state(request: Request, context: ReadContext): Answer | Promise<Answer> {
  const wanted = named(request, "Missing check state");
  return checks(request, context, ({ Status }) => wanted === "any" || Status === wanted);
}

function node(request: Request, context: ReadContext): Answer | Promise<Answer> {
  const name = named(request, "Missing node name");
  return checks(request, context, ({ Node }) => Node === name);
}

function ofService(request: Request, context: ReadContext): Answer | Promise<Answer> {
  const name = named(request, "Missing service name");
  return checks(request, context, ({ ServiceName }) => ServiceName === name);
}

function checks(
  request: Request,
  context: ReadContext,
  wanted: (check: Check) => boolean,
): Answer | Promise<Answer> {
  const run = () => ({
    index: maxIndex(context.read, "checks"),
    value: listChecks(context.read).filter(wanted),
  });
  return answerCatalog(request, context, { run, topics: [CHECKS_TOPIC] });
}

function named({ rest }: Request, missing: string): string {
  if (rest === "") throw new ConsulError(400, missing);
  return rest;
}
