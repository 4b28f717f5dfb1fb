import type { Json, JsonObject } from "@sluice/core";
import { listIn, numberIn, objectIn, objectsIn, textIn, without } from "../format/reading.ts";

export type NetworkMode = "host" | "container" | "container/bridge";

const OLD_MODES: Readonly<Record<string, NetworkMode>> = {
  HOST: "host",
  BRIDGE: "container/bridge",
  USER: "container",
};

/** An app's network mode, whichever form says it. */
export function networkMode(app: JsonObject): NetworkMode {
  const [first] = networksOf(app);
  const mode = first?.mode;
  return mode === "container" || mode === "container/bridge" ? mode : "host";
}

/** The ports an app asks for, in order, whichever form says it. An omitted list is one port named `default`. */
export function portsOf(app: JsonObject): readonly JsonObject[] {
  return networkMode(app) === "host" ? hostPortsOf(app) : mappingsOf(app);
}

/** `networks` of an app, with `ipAddress` and `container.docker.network` translated (reference 1.4.2). */
export function networksOf(app: JsonObject): readonly JsonObject[] {
  const given = objectsIn(app.networks).map(([, one]) => one);
  if (given.length > 0) return given;
  const address = objectIn(app.ipAddress);
  const old = OLD_MODES[textIn(objectIn(objectIn(app.container)?.docker)?.network) ?? ""];
  const mode = old ?? (address ? "container" : "host");
  if (mode !== "container") return [{ mode }];
  return [
    {
      mode,
      ...(textIn(address?.networkName) === undefined ? {} : { name: address?.networkName as string }),
      ...(objectIn(address?.labels) === undefined ? {} : { labels: address?.labels as JsonObject }),
    },
  ];
}

function hostPortsOf(app: JsonObject): readonly JsonObject[] {
  if (Array.isArray(app.portDefinitions)) return objectsIn(app.portDefinitions).map(([, one]) => one);
  if (Array.isArray(app.ports)) return listIn(app.ports).map((port) => ({ port }));
  // What Marathon sends with an empty list shows none; what a file leaves out gets one.
  return app.version === undefined ? [{ port: 0, name: "default" }] : [];
}

function mappingsOf(app: JsonObject): readonly JsonObject[] {
  const container = objectIn(app.container);
  const given = container?.portMappings ?? objectIn(container?.docker)?.portMappings;
  if (Array.isArray(given)) return objectsIn(given).map(([, one]) => one);
  const discovered = objectIn(objectIn(app.ipAddress)?.discovery)?.ports;
  if (Array.isArray(discovered)) return objectsIn(discovered).map(([, one]) => fromDiscovery(one));
  return app.version === undefined ? [{ containerPort: 0, name: "default" }] : [];
}

function fromDiscovery(port: JsonObject): JsonObject {
  return { containerPort: numberIn(port.number) ?? 0, ...without(port, "number") };
}

/** The spec with networks and ports in Marathon's present form, defaults filled in. */
export function withCanonicalNetworking(app: JsonObject): JsonObject {
  const mode = networkMode(app);
  const rest = without(app, "networks", "ipAddress", "ports", "portDefinitions");
  const container = objectIn(app.container);
  const ports = portsOf(app).map((port) =>
    mode === "host" ? { port: 0, protocol: "tcp", ...port } : canonicalMapping(port, mode),
  );
  const docker = objectIn(container?.docker);
  const slim: JsonObject | undefined = container && {
    ...without(container, "portMappings", "docker"),
    ...(docker ? { docker: without(docker, "network", "portMappings") } : {}),
  };
  return {
    ...rest,
    networks: networksOf(app),
    requirePorts: mode === "host" && app.requirePorts === true,
    ...(mode === "host" ? { portDefinitions: ports } : {}),
    ...(slim || mode !== "host"
      ? { container: { ...slim, ...(mode === "host" ? {} : { portMappings: ports }) } as JsonObject }
      : {}),
  };
}

/** In bridge mode a missing host port is a dynamic one; on a container network it is none. */
function canonicalMapping(mapping: JsonObject, mode: NetworkMode): Record<string, Json> {
  return {
    containerPort: 0,
    protocol: "tcp",
    servicePort: 0,
    ...(mode === "container/bridge" ? { hostPort: 0 } : {}),
    ...mapping,
  };
}
