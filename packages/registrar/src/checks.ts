import { type CheckProbe, type CheckStatus, parseDuration, type ServiceCheck } from "@sluice/core";
import type { Container } from "./container.ts";
import { isSaid, type Metadata } from "./metadata.ts";

/** Consul forgets no service faster than this. */
const SOONEST_DEREGISTER_MS = 60_000;
const INTERVAL_MS = 10_000;
/** A registrar that is gone must not make well containers look ill: what Docker said last holds for a day. */
const DOCKER_TTL_MS = 24 * 60 * 60_000;

/** The id of the check that tells Docker's own HEALTHCHECK. */
export function dockerCheckId(serviceId: string): string {
  return `service:${serviceId}:docker`;
}

/**
 * The checks of a service: the one its `SERVICE_CHECK_*` ask for, and Docker's HEALTHCHECK where the image has one.
 * @returns undefined and a sentence where the words cannot be read.
 */
export function checksOf(
  serviceId: string,
  at: { readonly address: string; readonly port: number },
  metadata: Metadata,
  container: Container,
): { readonly checks: readonly ServiceCheck[] } | { readonly problem: string } {
  const checks: ServiceCheck[] = [];
  if (container.health !== "none") checks.push(dockerCheck(serviceId));
  const probe = probeOf(at, metadata);
  if (!probe) return { checks };
  const times = timesOf(metadata);
  if ("problem" in times) return times;
  const initial = statusOf(metadata.get("check_initial_status"));
  checks.push({ id: `service:${serviceId}`, name: `${probe.kind} check`, probe, initial, ...times });
  return { checks };
}

function dockerCheck(serviceId: string): ServiceCheck {
  return {
    id: dockerCheckId(serviceId),
    name: "HEALTHCHECK of the container",
    probe: { kind: "ttl", ttlMs: DOCKER_TTL_MS },
    intervalMs: INTERVAL_MS,
    timeoutMs: undefined,
    initial: "critical",
    deregisterAfterMs: undefined,
  };
}

/** The first that is said wins, in Registrator's order. */
function probeOf(
  { address, port }: { readonly address: string; readonly port: number },
  metadata: Metadata,
): CheckProbe | undefined {
  const host = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
  const skipVerify = isSaid(metadata.get("check_tls_skip_verify"));
  for (const scheme of ["http", "https"] as const) {
    const path = metadata.get(`check_${scheme}`);
    const method = metadata.get(`check_${scheme}_method`)?.toUpperCase() || "GET";
    if (path) return { kind: "http", url: `${scheme}://${host}${pathOf(path)}`, method, skipVerify };
  }
  const script = metadata.get("check_script") ?? metadata.get("check_cmd");
  if (script) {
    const words = script.replaceAll("$SERVICE_IP", address).replaceAll("$SERVICE_PORT", String(port));
    return { kind: "script", args: words.split(/\s+/).filter(Boolean) };
  }
  const ttlMs = parseDuration(metadata.get("check_ttl") ?? "");
  if (ttlMs) return { kind: "ttl", ttlMs };
  if (isSaid(metadata.get("check_tcp"))) return { kind: "tcp", address: host };
  const grpc = metadata.get("check_grpc");
  if (!isSaid(grpc)) return undefined;
  const tls = isSaid(metadata.get("check_grpc_use_tls"));
  const service = grpc && !/^(true|1|yes|on)$/i.test(grpc) ? `/${grpc.replace(/^\/+/, "")}` : "";
  return { kind: "grpc", address: host + service, tls, skipVerify };
}

function pathOf(path: string): string {
  return encodeURI(path.startsWith("/") ? path : `/${path}`);
}

function timesOf(
  metadata: Metadata,
): Pick<ServiceCheck, "intervalMs" | "timeoutMs" | "deregisterAfterMs"> | { readonly problem: string } {
  const read = (key: string): number | undefined => {
    const text = metadata.get(key);
    return text === undefined ? undefined : parseDuration(text);
  };
  for (const key of ["check_interval", "check_timeout", "check_deregister_after"])
    if (metadata.get(key) !== undefined && read(key) === undefined)
      return {
        problem: `SERVICE_${key.toUpperCase()} is "${metadata.get(key)}", which is no duration such as 10s`,
      };
  const after = read("check_deregister_after");
  return {
    intervalMs: read("check_interval") ?? INTERVAL_MS,
    timeoutMs: read("check_timeout"),
    deregisterAfterMs: after === undefined ? undefined : Math.max(after, SOONEST_DEREGISTER_MS),
  };
}

function statusOf(text: string | undefined): CheckStatus {
  return text === "passing" || text === "warning" ? text : "critical";
}
