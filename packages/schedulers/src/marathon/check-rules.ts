import type { JsonObject } from "@sluice/core";
import type { Complaint } from "../format/complaint.ts";
import { listIn, numberIn, objectIn, objectsIn, textIn } from "../format/reading.ts";
import { portsOf } from "./networking.ts";

/** What reference 1.4.3 says of health and readiness checks. */
export function checkRules(app: JsonObject): readonly Complaint[] {
  const ports = portsOf(app);
  return [
    ...objectsIn(app.healthChecks).flatMap(([at, check]) => healthFaults(app, check, at, ports.length)),
    ...tooManyMesosChecks(app),
    ...objectsIn(app.readinessChecks).flatMap(([at, check]) => readinessFaults(check, at, ports)),
  ];
}

function healthFaults(app: JsonObject, check: JsonObject, at: number, ports: number): Complaint[] {
  const protocol = textIn(check.protocol) ?? "HTTP";
  const here = ["healthChecks", at] as const;
  const found: Complaint[] = [];
  if (protocol === "COMMAND" && objectIn(check.command) === undefined)
    found.push({ path: [...here, "command"], message: "is missing: a COMMAND check needs command.value" });
  if (protocol !== "COMMAND" && objectIn(check.command) !== undefined)
    found.push({ path: [...here, "command"], message: "goes with protocol COMMAND only" });
  if (numberIn(check.port) !== undefined && numberIn(check.portIndex) !== undefined)
    found.push({ path: [...here, "portIndex"], message: "cannot stand beside port; keep one of them" });
  const index = numberIn(check.portIndex);
  if (index !== undefined && index >= ports)
    found.push({
      path: [...here, "portIndex"],
      message: `must be the place of a port, counted from 0; the app has ${ports}`,
    });
  const ipv6 = check.ipProtocol === "IPv6";
  const docker =
    (objectIn(app.container)?.type ?? "DOCKER") === "DOCKER" && objectIn(app.container) !== undefined;
  if (ipv6 && !(docker && protocol.startsWith("MESOS_")))
    found.push({
      path: [...here, "ipProtocol"],
      message: "IPv6 goes with DOCKER containers and MESOS_ protocols only",
    });
  return found;
}

function tooManyMesosChecks(app: JsonObject): Complaint[] {
  const mesos = objectsIn(app.healthChecks).filter(([, one]) => textIn(one.protocol)?.startsWith("MESOS_"));
  return mesos
    .slice(1)
    .map(([at]) => ({ path: ["healthChecks", at], message: "an app may have one MESOS_ check at most" }));
}

function readinessFaults(check: JsonObject, at: number, ports: readonly JsonObject[]): Complaint[] {
  const found: Complaint[] = [];
  const [interval, timeout] = [numberIn(check.intervalSeconds) ?? 30, numberIn(check.timeoutSeconds) ?? 10];
  if (timeout >= interval)
    found.push({
      path: ["readinessChecks", at, "timeoutSeconds"],
      message: "must be less than intervalSeconds",
    });
  const name = textIn(check.portName) ?? "http-api";
  if (!ports.some((port) => port.name === name))
    found.push({ path: ["readinessChecks", at, "portName"], message: `no port is named ${name}` });
  if (check.httpStatusCodesForReady !== undefined && listIn(check.httpStatusCodesForReady).length === 0)
    found.push({ path: ["readinessChecks", at, "httpStatusCodesForReady"], message: "must not be empty" });
  return found;
}
