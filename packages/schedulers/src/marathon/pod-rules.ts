import type { JsonObject } from "@sluice/core";
import type { Complaint } from "../format/complaint.ts";
import { numberIn, objectIn, objectsIn, textIn } from "../format/reading.ts";
import { isReserved, RESERVED_WORDS } from "./app-id.ts";
import { MARK_LABEL } from "./mark.ts";

/** The rules of Marathon that span a pod's fields (reference 1.2), for a spec that may still be of the wrong shape. */
export function podRules(pod: JsonObject): readonly Complaint[] {
  const containers = objectsIn(pod.containers);
  const endpoints = containers.flatMap(([at, one]) =>
    objectsIn(one.endpoints).map(([place, endpoint]) => ({
      path: ["containers", at, "endpoints", place] as const,
      endpoint,
    })),
  );
  const reserved = textIn(pod.id) !== undefined && isReserved(textIn(pod.id) ?? "");
  return [
    ...(reserved ? [{ path: ["id"], message: RESERVED_WORDS }] : []),
    ...(objectIn(pod.labels)?.[MARK_LABEL] === undefined
      ? []
      : [{ path: ["labels", MARK_LABEL], message: "is Sluice's own mark; leave it out" }]),
    ...twice(containers.map(([at, one]) => [["containers", at, "name"], textIn(one.name)])),
    ...twice(endpoints.map(({ path, endpoint }) => [[...path, "name"], textIn(endpoint.name)])),
    ...twice(
      endpoints.map(({ path, endpoint }) => [
        [...path, "hostPort"],
        numberIn(endpoint.hostPort) || undefined,
      ]),
    ),
    ...containers.flatMap(([at, one]) => checkFaults(one, at)),
    ...mountFaults(pod),
  ];
}

function twice(named: readonly (readonly [Complaint["path"], string | number | undefined])[]): Complaint[] {
  const seen = new Set<string | number>();
  return named.flatMap(([path, value]) => {
    if (value === undefined || !seen.has(value)) {
      if (value !== undefined) seen.add(value);
      return [];
    }
    return [{ path, message: `is given twice: ${value}` }];
  });
}

function checkFaults(container: JsonObject, at: number): Complaint[] {
  const check = objectIn(container.healthCheck);
  if (!check) return [];
  const path = ["containers", at, "healthCheck"];
  const ways = [check.http, check.tcp, check.exec].map(objectIn).filter((one) => one !== undefined);
  const found: Complaint[] = [];
  if (ways.length !== 1) found.push({ path, message: "must hold exactly one of http, tcp and exec" });
  if ((numberIn(check.timeoutSeconds) ?? 20) >= (numberIn(check.intervalSeconds) ?? 60))
    found.push({ path: [...path, "timeoutSeconds"], message: "must be less than intervalSeconds" });
  const asked = textIn(objectIn(check.http ?? check.tcp)?.endpoint);
  const names = objectsIn(container.endpoints).map(([, one]) => one.name);
  if (asked !== undefined && !names.includes(asked))
    found.push({
      path: [...path, check.http ? "http" : "tcp", "endpoint"],
      message: `no endpoint of the container is named ${asked}`,
    });
  return found;
}

function mountFaults(pod: JsonObject): Complaint[] {
  const volumes = objectsIn(pod.volumes).map(([, one]) => one.name);
  return objectsIn(pod.containers).flatMap(([at, container]) =>
    objectsIn(container.volumeMounts).flatMap(([place, mount]) => {
      const name = textIn(mount.name);
      if (name === undefined || volumes.includes(name)) return [];
      const path = ["containers", at, "volumeMounts", place, "name"];
      return [{ path, message: `no volume of the pod is named ${name}` }];
    }),
  );
}
