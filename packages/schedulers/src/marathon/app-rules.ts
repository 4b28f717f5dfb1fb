import { type JsonObject, suggest } from "@sluice/core";
import type { Complaint } from "../format/complaint.ts";
import { listIn, numberIn, objectIn, objectsIn } from "../format/reading.ts";
import { isReserved, RESERVED_WORDS } from "./app-id.ts";
import { checkRules } from "./check-rules.ts";
import { MARK_LABEL } from "./mark.ts";
import { networkRules } from "./network-rules.ts";

/** The rules of Marathon that span fields (reference 1.3 and 1.4), for a spec that may still be of the wrong shape. */
export function appRules(app: JsonObject): readonly Complaint[] {
  return [
    ...idRules(app),
    ...startRules(app),
    ...mixedForms(app),
    ...containerRules(app),
    ...networkRules(app),
    ...checkRules(app),
    ...constraintRules(app),
    ...strategyRules(app),
    ...labelRules(app),
  ];
}

function idRules({ id }: JsonObject): Complaint[] {
  if (id === undefined) return [];
  return typeof id === "string" && isReserved(id) ? [{ path: ["id"], message: RESERVED_WORDS }] : [];
}

function startRules(app: JsonObject): Complaint[] {
  const given = (key: string) => app[key] !== undefined && app[key] !== null;
  if (given("cmd") && given("args"))
    return [{ path: ["args"], message: "cannot stand beside cmd; keep one of them" }];
  const container = objectIn(app.container);
  const runsImage = objectIn(container?.docker) !== undefined || container?.type === "MESOS";
  if (given("cmd") || given("args") || runsImage || given("container")) return [];
  return [{ path: [], message: "the app has nothing to run: give cmd, args, or a container" }];
}

/** Old and new ways to say one thing, which Marathon refuses together. */
function mixedForms(app: JsonObject): Complaint[] {
  const docker = objectIn(objectIn(app.container)?.docker);
  const pairs: [boolean, string, string][] = [
    [listIn(app.uris).length > 0 && listIn(app.fetch).length > 0, "uris", "fetch"],
    [app.ports !== undefined && app.portDefinitions !== undefined, "ports", "portDefinitions"],
    [app.ipAddress !== undefined && app.networks !== undefined, "ipAddress", "networks"],
    [docker?.network !== undefined && app.networks !== undefined, "container.docker.network", "networks"],
    [
      docker?.portMappings !== undefined && objectIn(app.container)?.portMappings !== undefined,
      "container.docker.portMappings",
      "container.portMappings",
    ],
  ];
  return pairs
    .filter(([both]) => both)
    .map(([, old, current]) => ({
      path: old.split("."),
      message: `is the deprecated form of ${current} and cannot stand beside it`,
    }));
}

function containerRules(app: JsonObject): Complaint[] {
  const container = objectIn(app.container);
  const isDocker = container !== undefined && (container.type ?? "DOCKER") === "DOCKER";
  const found: Complaint[] = [];
  if (isDocker && (container.docker === undefined || container.docker === null))
    found.push({
      path: ["container", "docker"],
      message: "is missing: a DOCKER container needs container.docker.image",
    });
  if (isDocker && objectIn(container.docker)?.pullConfig !== undefined)
    found.push({ path: ["container", "docker", "pullConfig"], message: "needs container.type MESOS" });
  const refused = isDocker ? (["executorResources", "check"] as const) : [];
  for (const key of refused)
    if (app[key] !== undefined && app[key] !== null)
      found.push({ path: [key], message: "does not go with a DOCKER container" });
  if (isDocker && (numberIn(app.gpus) ?? 0) > 0)
    found.push({ path: ["gpus"], message: "does not go with a DOCKER container" });
  return found;
}

const OPERATORS = ["UNIQUE", "CLUSTER", "GROUP_BY", "LIKE", "UNLIKE", "MAX_PER", "IS"];

function constraintRules(app: JsonObject): Complaint[] {
  return listIn(app.constraints).flatMap((constraint, at) => {
    const [, operator, value] = listIn(constraint);
    if (typeof operator !== "string" || (value !== undefined && typeof value !== "string")) return [];
    const message = constraintFault(operator, value);
    return message ? [{ path: ["constraints", at], message }] : [];
  });
}

function constraintFault(operator: string, value: string | undefined): string | undefined {
  if (!OPERATORS.includes(operator))
    return `has the unknown operator ${operator}${suggest(operator, OPERATORS)}`;
  const whole = value !== undefined && /^\d+$/.test(value);
  if (operator === "UNIQUE" && value !== undefined) return "UNIQUE takes no value";
  if (operator === "GROUP_BY" && value !== undefined && !whole)
    return "GROUP_BY takes no value or a whole number";
  if (operator === "MAX_PER" && !whole) return "MAX_PER needs a whole number";
  if (operator === "IS" && !/^[a-zA-Z0-9_/.-]*$/.test(value ?? " "))
    return "IS needs a value of letters, digits and _ / . -";
  if ((operator === "LIKE" || operator === "UNLIKE") && !isPattern(value))
    return `${operator} needs a regular expression`;
  return undefined;
}

function isPattern(value: string | undefined): boolean {
  if (value === undefined) return false;
  try {
    return new RegExp(value) !== undefined;
  } catch {
    return false;
  }
}

function strategyRules(app: JsonObject): Complaint[] {
  const found: Complaint[] = [];
  const unreachable = objectIn(app.unreachableStrategy);
  if ((numberIn(unreachable?.inactiveAfterSeconds) ?? 0) > (numberIn(unreachable?.expungeAfterSeconds) ?? 0))
    found.push({
      path: ["unreachableStrategy", "inactiveAfterSeconds"],
      message: "must not be more than expungeAfterSeconds",
    });
  const limits = objectIn(app.resourceLimits);
  for (const [key, standard] of [
    ["cpus", 1],
    ["mem", 128],
  ] as const) {
    const most = numberIn(limits?.[key]);
    if (most !== undefined && most < (numberIn(app[key]) ?? standard))
      found.push({ path: ["resourceLimits", key], message: `must not be less than ${key}` });
  }
  const persistent = objectsIn(objectIn(app.container)?.volumes).some(([, one]) => objectIn(one.persistent));
  if (persistent && unreachable)
    found.push({ path: ["unreachableStrategy"], message: 'must be "disabled" with persistent volumes' });
  return found;
}

function labelRules(app: JsonObject): Complaint[] {
  const labels = objectIn(app.labels);
  const found: Complaint[] = [];
  if (labels?.[MARK_LABEL] !== undefined)
    found.push({ path: ["labels", MARK_LABEL], message: "is Sluice's own mark; leave it out" });
  if (labels?.MARATHON_SINGLE_INSTANCE_APP === "true" && (numberIn(app.instances) ?? 1) > 1)
    found.push({
      path: ["instances"],
      message: "must be at most 1 with the label MARATHON_SINGLE_INSTANCE_APP",
    });
  return found;
}
