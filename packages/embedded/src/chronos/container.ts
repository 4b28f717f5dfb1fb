import { flag, has, type JsonObject, number, objects, record, text } from "./coerce.ts";
import type { ContainerInfo } from "./job.ts";

/** The container as GET shows it; without an `image` the whole object is ignored. */
export function readContainer(body: JsonObject | undefined): ContainerInfo | undefined {
  if (body === undefined || !has(body, "image")) return undefined;
  return {
    type: text(body, "type", "DOCKER").toUpperCase(),
    image: text(body, "image"),
    network: text(body, "network", "HOST").toUpperCase(),
    ...(has(body, "networkName") ? { networkName: text(body, "networkName") } : {}),
    networkInfos: objects(body, "networkInfos").map(readNetworkInfo),
    volumes: objects(body, "volumes").map(readVolume),
    forcePullImage: flag(body, "forcePullImage", false),
    parameters: objects(body, "parameters").map(readParameter),
  };
}

function readNetworkInfo(body: JsonObject): Record<string, unknown> {
  return {
    name: text(body, "name"),
    ...(has(body, "protocol") ? { protocol: text(body, "protocol") } : {}),
    labels: objects(body, "labels").map(readParameter),
    // Chronos writes ports as strings, though it reads numbers.
    portMappings: objects(body, "portMappings").map((one) => ({
      hostPort: text(one, "hostPort"),
      containerPort: text(one, "containerPort"),
      ...(has(one, "protocol") ? { protocol: text(one, "protocol") } : {}),
    })),
  };
}

function readVolume(body: JsonObject): Record<string, unknown> {
  const external = record(body.external);
  const persistent = record(body.persistent);
  return {
    ...(has(body, "hostPath") ? { hostPath: text(body, "hostPath") } : {}),
    containerPath: text(body, "containerPath"),
    ...(has(body, "mode") ? { mode: text(body, "mode").toUpperCase() } : {}),
    ...(persistent === undefined ? {} : { persistent: { size: number(persistent, "size") } }),
    ...(external === undefined ? {} : { external: readExternal(external) }),
  };
}

function readExternal(body: JsonObject): Record<string, unknown> {
  return {
    name: text(body, "name"),
    provider: text(body, "provider"),
    options: objects(body, "options").map(readParameter),
  };
}

function readParameter(body: JsonObject): { key: string; value: string } {
  return { key: text(body, "key"), value: text(body, "value") };
}
