import type { IncomingMessage } from "node:http";
import { isJsonObject, type JobId, type Json, type JsonObject } from "@sluice/core";
import { listIn, numberIn, objectIn, textIn } from "../format/reading.ts";
import type { HttpAnswer } from "../http/connection.ts";
import { serverMessage, strangeAnswer } from "../http/failure.ts";
import type { DockerConnection } from "./connection.ts";
import { isOutOfSequence, swarmFailure } from "./failure.ts";
import { MARK_LABEL } from "./mark.ts";
import { registryAuthOf } from "./registry-auth.ts";

/** What a service may refer to by name and that is not in its spec. */
export type MaterialKind = "configs" | "secrets" | "networks";

/** The part of the Engine API that Sluice uses. Failures are SluiceErrors. */
export interface SwarmClient {
  /** All services that bear the mark. */
  marked(mark: string, signal?: AbortSignal): Promise<readonly JsonObject[]>;
  /** The services of these names that are there; undefined: all. */
  named(ids: readonly JobId[] | undefined, signal?: AbortSignal): Promise<readonly JsonObject[]>;
  /** All tasks of these services, old ones too. @param ids the services' own ids. */
  tasks(ids: readonly string[], signal?: AbortSignal): Promise<readonly JsonObject[]>;
  create(spec: JsonObject, signal?: AbortSignal): Promise<void>;
  /** False: the service has another version by now, and nothing was written. */
  update(service: JsonObject, spec: JsonObject, signal?: AbortSignal): Promise<boolean>;
  /** Puts the previous spec back; nothing where there is none. False: the service has another version by now, and nothing was written. */
  rollback(service: JsonObject, signal?: AbortSignal): Promise<boolean>;
  /** A service that is gone counts as removed. */
  remove(service: JsonObject, signal?: AbortSignal): Promise<void>;
  /** All configs, secrets or networks of the swarm; networks with their facts at the top, as the API has it. */
  materials(kind: MaterialKind, signal?: AbortSignal): Promise<readonly JsonObject[]>;
  createMaterial(kind: MaterialKind, body: JsonObject, signal?: AbortSignal): Promise<void>;
  /** False: it is in use. What is gone counts as removed. */
  removeMaterial(kind: MaterialKind, id: string, signal?: AbortSignal): Promise<boolean>;
  events(signal: AbortSignal): Promise<IncomingMessage>;
}

/** Up to this many services are asked for by name; more cost less as one list. */
const MOST_NAMES = 20;
const MOST_IDS = 100;

/** @param registryAuth the text of a Docker `config.json`, read for every write. @throws what it throws. */
export function swarmClient(docker: DockerConnection, registryAuth?: () => string): SwarmClient {
  const authFor = (spec: JsonObject) => {
    const image = textIn(objectIn(objectIn(spec.TaskTemplate)?.ContainerSpec)?.Image);
    return registryAuth && image !== undefined ? registryAuthOf(image, registryAuth()) : undefined;
  };
  const get = async (path: string, query: Readonly<Record<string, Json>>, signal?: AbortSignal) =>
    entriesOf(await docker.ask({ method: "GET", path, query, signal }), path);
  const write = async (path: string, body: JsonObject, signal?: AbortSignal, auth?: JsonObject) => {
    const answer = await docker.ask({ method: "POST", path, body, signal, registryAuth: auth });
    if (answer.status !== 200) throw swarmFailure(answer, body);
  };
  return {
    marked: (mark, signal) =>
      get("/services", { filters: { label: [`${MARK_LABEL}=${mark}`] }, status: true }, signal),
    async named(ids, signal) {
      const few = ids !== undefined && ids.length <= MOST_NAMES;
      if (ids?.length === 0) return [];
      const query = { ...(few ? { filters: { name: [...ids] } } : {}), status: true };
      const found = await get("/services", query, signal);
      const wanted = new Set<string>(ids);
      // Docker's filter takes a name's beginning too.
      return ids ? found.filter((one) => wanted.has(nameOf(one))) : found;
    },
    async tasks(ids, signal) {
      const found: JsonObject[] = [];
      for (let at = 0; at < ids.length; at += MOST_IDS)
        found.push(...(await get("/tasks", { filters: { service: ids.slice(at, at + MOST_IDS) } }, signal)));
      return found;
    },
    create: (spec, signal) => write("/services/create", spec, signal, authFor(spec)),
    update: (service, spec, signal) =>
      update(docker, { service, query: {}, registryAuth: authFor(spec) }, spec, signal),
    async rollback(service, signal) {
      const spec = objectIn(service.PreviousSpec);
      return !spec || update(docker, { service, query: { rollback: "previous" } }, spec, signal);
    },
    async remove(service, signal) {
      const answer = await docker.ask({ method: "DELETE", path: pathOf(service), signal });
      if (answer.status !== 200 && answer.status !== 404) throw swarmFailure(answer);
    },
    materials: (kind, signal) => get(`/${kind}`, {}, signal),
    createMaterial: (kind, body, signal) => write(`/${kind}/create`, body, signal),
    async removeMaterial(kind, id, signal) {
      const answer = await docker.ask({
        method: "DELETE",
        path: `/${kind}/${encodeURIComponent(id)}`,
        signal,
      });
      // A network that the swarm has let go of is listed by its node for a moment longer, and then answered with a 500.
      if (answer.status === 404 || serverMessage(answer)?.includes("not found")) return true;
      if ([400, 403, 409].includes(answer.status)) return false;
      if (answer.status !== 200) throw swarmFailure(answer);
      return true;
    },
    events: (signal) =>
      docker.stream({ method: "GET", path: "/events", query: { filters: EVENT_FILTERS }, signal }),
  };
}

const EVENT_FILTERS: JsonObject = {
  type: ["service", "container"],
  event: ["create", "update", "remove", "start", "die", "health_status"],
};

/** A service's name, which is its job's id. */
export function nameOf(service: JsonObject): string {
  return textIn(objectIn(service.Spec)?.Name) ?? "";
}

function pathOf(service: JsonObject): string {
  return `/services/${encodeURIComponent(textIn(service.ID) ?? "")}`;
}

interface Updating {
  readonly service: JsonObject;
  readonly query: Readonly<Record<string, Json>>;
  /** Without it Docker goes on with what the service was last given. */
  readonly registryAuth?: JsonObject | undefined;
}

async function update(
  docker: DockerConnection,
  { service, query, registryAuth }: Updating,
  spec: JsonObject,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const version = numberIn(objectIn(service.Version)?.Index) ?? 0;
  const path = `${pathOf(service)}/update`;
  const answer = await docker.ask({
    method: "POST",
    path,
    query: { version, ...query },
    body: spec,
    registryAuth,
    signal,
  });
  if (isOutOfSequence(answer)) return false;
  if (answer.status !== 200) throw swarmFailure(answer, spec);
  return true;
}

function entriesOf(answer: HttpAnswer, path: string): readonly JsonObject[] {
  if (answer.status !== 200 && answer.status !== 404) throw swarmFailure(answer);
  const entries = listIn(answer.json).filter(isJsonObject);
  // Docker answers its lists with a list, even of nothing: anything else is another server, or a part.
  if (!Array.isArray(answer.json) || entries.length !== answer.json.length || answer.status !== 200)
    throw strangeAnswer("Docker", `GET ${path}`);
  return entries;
}
