import { fingerprintOf, type Json, type JsonObject, jobId, type LiveJob } from "@sluice/core";
import { listIn, objectIn, objectsIn, textIn, without } from "../format/reading.ts";
import { nameOf } from "./client.ts";
import { markOf } from "./mark.ts";
import { observe } from "./observe.ts";

/**
 * A service as a job.
 * @param tasks the service's tasks.
 * @param networks the names of networks by id, since Docker replaces a name in a spec by the id.
 */
export function liveService(
  service: JsonObject,
  tasks: readonly JsonObject[],
  networks: ReadonlyMap<string, string>,
): LiveJob {
  const spec = objectIn(service.Spec) ?? {};
  return {
    id: jobId(nameOf(service)),
    spec: namedSpec(spec, networks),
    owner: markOf(spec),
    version: versionOf(service),
    observed: observe(service, tasks),
  };
}

/** Of the spec alone: Docker's own version also moves when nobody changes anything (reference 4.3). */
export function versionOf(service: JsonObject): string {
  return `${textIn(service.ID) ?? ""} ${fingerprintOf(objectIn(service.Spec) ?? {}).slice(0, 16)}`;
}

/** The spec with names in place of ids, as a file has it. */
export function namedSpec(spec: JsonObject, networks: ReadonlyMap<string, string>): JsonObject {
  const template = objectIn(spec.TaskTemplate) ?? {};
  const container = objectIn(template.ContainerSpec);
  const named = (list: Json | undefined) =>
    objectsIn(list).map(([, one]) => ({
      ...one,
      Target: networks.get(textIn(one.Target) ?? "") ?? one.Target ?? "",
    }));
  // Older clients put networks beside the template; Docker takes either.
  const attached = [...listIn(template.Networks), ...listIn(spec.Networks)];
  return {
    ...without(spec, "Networks"),
    TaskTemplate: {
      ...template,
      ...(container ? { ContainerSpec: withoutIds(container) } : {}),
      ...(attached.length > 0 ? { Networks: named(attached) } : {}),
    },
  };
}

function withoutIds(container: JsonObject): JsonObject {
  const plain = (list: Json, id: string) => objectsIn(list).map(([, one]) => without(one, id));
  return {
    ...container,
    ...(container.Configs ? { Configs: plain(container.Configs, "ConfigID") } : {}),
    ...(container.Secrets ? { Secrets: plain(container.Secrets, "SecretID") } : {}),
  };
}

/** True where a spec refers to networks, whose names must be looked up. */
export function hasNetworks(service: JsonObject): boolean {
  const spec = objectIn(service.Spec);
  return [objectIn(spec?.TaskTemplate)?.Networks, spec?.Networks].some((one) => listIn(one).length > 0);
}
