import type { CheckProbe, ServiceCheck } from "@sluice/core";

/** A check as the client takes it: the field names of https://developer.hashicorp.com/consul/api-docs/agent/check, in lower case. */
export function checkRegistration(check: ServiceCheck): object {
  const { id, name, probe, intervalMs, timeoutMs, initial, deregisterAfterMs } = check;
  return {
    checkid: id,
    name,
    ...probeFields(probe),
    ...(probe.kind === "ttl" ? {} : { interval: `${intervalMs}ms` }),
    ...(timeoutMs === undefined ? {} : { timeout: `${timeoutMs}ms` }),
    ...(deregisterAfterMs === undefined ? {} : { deregistercriticalserviceafter: `${deregisterAfterMs}ms` }),
    status: initial,
  };
}

function probeFields(probe: CheckProbe): object {
  switch (probe.kind) {
    case "http":
      return { http: probe.url, method: probe.method, tlsskipverify: probe.skipVerify };
    case "tcp":
      return { tcp: probe.address };
    case "grpc":
      return { grpc: probe.address, grpcusetls: probe.tls, tlsskipverify: probe.skipVerify };
    case "script":
      return { args: probe.args };
    case "ttl":
      return { ttl: `${probe.ttlMs}ms` };
  }
}
