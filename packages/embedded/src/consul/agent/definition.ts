import { checkStatus } from "../catalog/registration.ts";
import type { CheckStatus } from "../catalog/types.ts";
import { parseMilliseconds } from "../duration.ts";
import { ConsulError } from "../http/answer.ts";
import { type Fields, fieldsOf, flag, integer, objects, refuseUnknown, text } from "../http/go-json.ts";
import { SERVICE_CHECK_FIELDS } from "./fields.ts";

/** A check the agent keeps: one it waits to hear from (`ttl`) or one it makes itself. Times in milliseconds. */
export interface CheckDefinition {
  id: string;
  name: string;
  notes: string;
  /** "" for a check of the node. */
  serviceId: string;
  probe: Probe;
  /** Removes the service once the check has been critical for so long; 0: never. */
  deregisterAfterMs: number;
  /** Results in a row that are needed to become passing, or critical. */
  successesBeforePassing: number;
  failuresBeforeCritical: number;
  /** As registered; "critical" if it said nothing. */
  initial: CheckStatus;
}

export type Probe = TtlProbe | HttpProbe | TcpProbe;

export interface TtlProbe {
  type: "ttl";
  ttlMs: number;
}

export interface HttpProbe {
  type: "http";
  url: string;
  method: string;
  headers: Record<string, string[]>;
  body: string;
  skipVerify: boolean;
  intervalMs: number;
  timeoutMs: number;
}

export interface TcpProbe {
  type: "tcp";
  /** `host:port`. */
  address: string;
  intervalMs: number;
  timeoutMs: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const SHORTEST_INTERVAL_MS = 1_000;

/** A check's own fields, before it gets the defaults of the service it is registered with. */
export function parseCheckDefinition(fields: Fields): CheckDefinition {
  return {
    id: text(fields, "CheckID") || text(fields, "ID"),
    name: text(fields, "Name"),
    notes: text(fields, "Notes"),
    serviceId: text(fields, "ServiceID"),
    initial: checkStatus(text(fields, "Status")),
    probe: parseProbe(fields),
    deregisterAfterMs: milliseconds(fields, "DeregisterCriticalServiceAfter"),
    successesBeforePassing: integer(fields, "SuccessBeforePassing"),
    failuresBeforeCritical: integer(fields, "FailuresBeforeCritical"),
  };
}

/** The checks of a service registration (`Check` and `Checks`), with the ids and names Consul gives them. */
export function parseServiceChecks(fields: Fields, service: { id: string; name: string }): CheckDefinition[] {
  const single = fields.get("check");
  const given = objects(fields, "Checks");
  if (fieldsOf(single)?.size) given.unshift(single as object);
  return given.map((one, at) => {
    refuseUnknown(one, SERVICE_CHECK_FIELDS);
    const check = parseCheckDefinition(fieldsOf(one) ?? new Map());
    return {
      ...check,
      id: check.id || `service:${service.id}${given.length > 1 ? `:${at + 1}` : ""}`,
      name: check.name || `Service '${service.name}' check`,
      serviceId: service.id,
    };
  });
}

function parseProbe(fields: Fields): Probe {
  refuseForeign(fields);
  const intervalMs = Math.max(milliseconds(fields, "Interval"), 0);
  const timeoutMs = milliseconds(fields, "Timeout") || DEFAULT_TIMEOUT_MS;
  const url = text(fields, "HTTP");
  const address = text(fields, "TCP");
  if (url === "" && address === "") {
    const ttlMs = milliseconds(fields, "TTL");
    if (ttlMs <= 0) throw new ConsulError(400, "Invalid check: TTL must be > 0 for TTL checks");
    return { type: "ttl", ttlMs };
  }
  if (intervalMs === 0) {
    throw new ConsulError(400, "Invalid check: Interval must be > 0 for Script, HTTP, or TCP checks");
  }
  const times = { intervalMs: Math.max(intervalMs, SHORTEST_INTERVAL_MS), timeoutMs };
  if (address !== "") return { type: "tcp", address, ...times };
  const method = text(fields, "Method") || "GET";
  const body = text(fields, "Body");
  const skipVerify = flag(fields, "TLSSkipVerify");
  return { type: "http", url, method, headers: headersOf(fields), body, skipVerify, ...times };
}

function headersOf(fields: Fields): Record<string, string[]> {
  return (fieldsOf(fields.get("header")) ? fields.get("header") : {}) as Record<string, string[]>;
}

/** @throws ConsulError for kinds of checks that need more than this server has. */
function refuseForeign(fields: Fields): void {
  if (fields.has("args") || fields.has("script") || fields.has("scriptargs")) {
    throw new ConsulError(
      500,
      "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true",
    );
  }
  for (const [field, kind] of [
    ["grpc", "gRPC"],
    ["dockercontainerid", "Docker"],
    ["aliasservice", "Alias"],
  ]) {
    if (field && fields.has(field))
      throw new ConsulError(400, `${kind} checks are not known to the embedded Consul`);
  }
}

function milliseconds(fields: Fields, name: string): number {
  const value = fields.get(name.toLowerCase()) ?? "";
  if (value === "") return 0;
  if (typeof value === "number") return value / 1e6;
  const parsed = parseMilliseconds(String(value));
  if (parsed !== undefined) return parsed;
  throw new ConsulError(400, `Request decode failed: time: invalid duration ${JSON.stringify(value)}`);
}
