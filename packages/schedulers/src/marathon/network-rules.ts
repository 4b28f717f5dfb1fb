import type { Json, JsonObject } from "@sluice/core";
import type { Complaint } from "../format/complaint.ts";
import { listIn, numberIn, objectIn, objectsIn, textIn } from "../format/reading.ts";
import { networkMode } from "./networking.ts";

/** What reference 1.4.1 and 1.4.2 say of networks and ports. */
export function networkRules(app: JsonObject): readonly Complaint[] {
  return [...networkEntries(app), ...hostPorts(app), ...uniquePorts(app), ...mappings(app)];
}

function networkEntries(app: JsonObject): Complaint[] {
  const entries = objectsIn(app.networks);
  const found: Complaint[] = [];
  const modes = entries.map(([, one]) => one.mode);
  if (modes.length > 1 && modes.some((mode) => mode !== "container"))
    found.push({
      path: ["networks"],
      message: "must hold one host or container/bridge entry, or container entries only",
    });
  for (const [at, entry] of entries) {
    if (entry.mode !== "container" && textIn(entry.name) !== undefined)
      found.push({
        path: ["networks", at, "name"],
        message: `does not go with mode ${textIn(entry.mode) ?? "?"}`,
      });
    if (entry.mode === "host" && objectIn(entry.labels) && Object.keys(entry.labels as JsonObject).length > 0)
      found.push({ path: ["networks", at, "labels"], message: "does not go with mode host" });
  }
  const container = objectIn(app.container);
  if (
    container &&
    (container.type ?? "DOCKER") === "DOCKER" &&
    modes.filter((mode) => mode === "container").length > 1
  )
    found.push({
      path: ["networks"],
      message: "must hold a single container network for a DOCKER container",
    });
  return found;
}

function hostPorts(app: JsonObject): Complaint[] {
  if (networkMode(app) === "host" || listIn(app.portDefinitions).length === 0) return [];
  return [
    {
      path: ["portDefinitions"],
      message: "goes with host networking only",
      hint: "use container.portMappings with container and container/bridge networks",
    },
  ];
}

function uniquePorts(app: JsonObject): Complaint[] {
  const definitions = objectsIn(app.portDefinitions);
  return [
    ...repeated(
      definitions.map(([at, one]) => [["portDefinitions", at, "port"], one.port] as const),
      (port) => (numberIn(port) ?? 0) > 0,
    ),
    ...repeated(
      definitions.map(([at, one]) => [["portDefinitions", at, "name"], one.name] as const),
      (name) => textIn(name) !== undefined,
    ),
    ...repeated(
      listIn(app.ports).map((port, at) => [["ports", at], port] as const),
      (port) => (numberIn(port) ?? 0) > 0,
    ),
  ];
}

function mappings(app: JsonObject): Complaint[] {
  const container = objectIn(app.container);
  const paths = [
    [["container", "portMappings"], container?.portMappings],
    [["container", "docker", "portMappings"], objectIn(container?.docker)?.portMappings],
  ] as const;
  return paths.flatMap(([path, list]) =>
    repeated(
      objectsIn(list).map(([at, one]) => [[...path, at, "name"], one.name] as const),
      (name) => textIn(name) !== undefined,
    ),
  );
}

function repeated(
  entries: readonly (readonly [Complaint["path"], Json | undefined])[],
  counts: (value: Json | undefined) => boolean,
): Complaint[] {
  const seen = new Set<Json | undefined>();
  return entries.flatMap(([path, value]) => {
    if (!counts(value)) return [];
    if (seen.has(value)) return [{ path, message: `is given twice: ${String(value)}` }];
    seen.add(value);
    return [];
  });
}
