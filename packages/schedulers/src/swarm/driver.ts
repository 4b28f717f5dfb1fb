import {
  type ApplyRequest,
  backoffMs,
  type Clock,
  type JobId,
  type JsonObject,
  type LiveJob,
  type LiveQuery,
  type Random,
  type RemoveRequest,
  type Scheduler,
} from "@sluice/core";
import { objectIn, textIn } from "../format/reading.ts";
import { laneLimit } from "../http/lanes.ts";
import { nameOf, type SwarmClient, swarmClient } from "./client.ts";
import { compareServices } from "./compare.ts";
import { type DockerOptions, dockerConnection } from "./connection.ts";
import { watchEvents } from "./events.ts";
import { conflict } from "./failure.ts";
import { hasNetworks, liveService, namedSpec, versionOf } from "./live-service.ts";
import { markOf, withMark } from "./mark.ts";
import { leftoversOf, materialsIn, referencesOf, withMaterials } from "./materials.ts";
import { keepingWhatSwarmFilledIn, withLiveValues } from "./merge.ts";
import { isReplacing } from "./observe.ts";
import { proven } from "./proven.ts";
import { type Tidier, tidier } from "./tidier.ts";

export interface SwarmOptions extends DockerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The text of a Docker `config.json`, whose `auths` the nodes pull images with; asked for every write. */
  readonly registryAuth?: () => string;
}

/** Orchestrators write a service's version too, so a stale one is tried again (reference 4.3). */
const MOST_ATTEMPTS = 5;
const RETRY = { firstMs: 20, mostMs: 500 };

interface Swarm {
  readonly client: SwarmClient;
  readonly options: SwarmOptions;
  /** Writes that make or leave configs, secrets and networks go one by one, so that none is removed while another needs it. */
  readonly oneByOne: ReturnType<typeof laneLimit>;
  readonly tidying: Tidier;
}

/**
 * Docker Swarm, by the Engine API 1.41 and later of a manager. The mark is the label `sluice/owner` of services, configs,
 * secrets and networks. Updates are compare-and-set by the service's version.
 */
export function swarm(options: SwarmOptions): Scheduler {
  const client = swarmClient(dockerConnection(options), options.registryAuth);
  const oneByOne = laneLimit(1);
  const tidying = tidier({ client, clock: options.clock, random: options.random, oneByOne });
  const here: Swarm = { client, options, oneByOne, tidying };
  return {
    list: (query, signal) => list(client, query, signal),
    async apply(request, signal) {
      const safe = { ...here, client: proven(client, request.proof) };
      const write = () =>
        request.live ? update(safe, request, request.live, signal) : create(safe, request, signal);
      const alone =
        hasMaterials(request.spec) || (request.live !== undefined && hasReferences(request.live.spec));
      return { version: await (alone ? here.oneByOne(write) : write()) };
    },
    remove: (request, signal) =>
      here.oneByOne(() => remove({ ...here, client: proven(client, request.proof) }, request, signal)),
    watch: (signal) => watchEvents({ client, clock: options.clock, random: options.random }, signal),
    cancel: (id, signal) => cancel(here, id, signal),
  };
}

async function list(
  client: SwarmClient,
  query: LiveQuery,
  signal: AbortSignal | undefined,
): Promise<readonly LiveJob[]> {
  const services =
    "mark" in query
      ? (await client.marked(query.mark, signal)).filter(
          (one) => markOf(objectIn(one.Spec) ?? {}) === query.mark,
        )
      : await client.named([...new Set(query.ids)], signal);
  const ids = services.map((service) => textIn(service.ID) ?? "");
  const [tasks, networks] = await Promise.all([
    client.tasks(ids, signal),
    services.some(hasNetworks) ? networkNames(client, signal) : new Map<string, string>(),
  ]);
  const byService = new Map<string, JsonObject[]>(ids.map((id) => [id, []]));
  for (const task of tasks) byService.get(textIn(task.ServiceID) ?? "")?.push(task);
  return services.map((service) =>
    liveService(service, byService.get(textIn(service.ID) ?? "") ?? [], networks),
  );
}

async function networkNames(client: SwarmClient, signal: AbortSignal | undefined) {
  const networks = await client.materials("networks", signal);
  return new Map(networks.map((network) => [textIn(network.Id) ?? "", textIn(network.Name) ?? ""]));
}

async function one(client: SwarmClient, id: JobId, signal: AbortSignal | undefined) {
  return (await client.named([id], signal)).find((service) => nameOf(service) === id);
}

async function create(
  { client }: Swarm,
  request: ApplyRequest,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { id, spec, mark } = request;
  if (await one(client, id, signal)) throw conflict(`a service ${id} exists already`);
  await client.create(
    withMark(await withMaterials(client, { ...spec, Name: id }, mark, signal), mark),
    signal,
  );
  return versionNow(client, id, signal);
}

async function update(
  { client, options, tidying }: Swarm,
  request: ApplyRequest,
  planned: LiveJob,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { id, mark, ignore } = request;
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const present = await one(client, id, signal);
    if (!present) throw conflict(`the service ${id} is gone`);
    const networks = hasNetworks(present) ? await networkNames(client, signal) : new Map<string, string>();
    const live = namedSpec(objectIn(present.Spec) ?? {}, networks);
    if (hasMoved(planned, present, live, ignore))
      throw conflict(`somebody changed the service ${id} since it was planned`);
    const wanted = keepingWhatSwarmFilledIn(
      withLiveValues({ ...request.spec, Name: id }, live, ignore),
      live,
    );
    const body = withMark(await withMaterials(client, wanted, mark, signal), mark);
    if (await client.update(present, body, signal)) {
      await tidying.now(leftoversOf(mark, present, request.spec), signal);
      return versionNow(client, id, signal);
    }
    await options.clock.sleep(backoffMs(attempt, RETRY, options.random), signal);
  }
  throw movesTooFast(id);
}

async function cancel({ client, options }: Swarm, id: JobId, signal: AbortSignal | undefined): Promise<void> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const service = await one(client, id, signal);
    if (!service || !isReplacing(service, await client.tasks([textIn(service.ID) ?? ""], signal))) return;
    if (await client.rollback(service, signal)) return;
    await options.clock.sleep(backoffMs(attempt, RETRY, options.random), signal);
  }
  throw movesTooFast(id);
}

function movesTooFast(id: JobId) {
  return conflict(`the service ${id} moves faster than it can be written`);
}

async function versionNow(client: SwarmClient, id: JobId, signal: AbortSignal | undefined): Promise<string> {
  const written = await one(client, id, signal);
  return written ? versionOf(written) : "";
}

/** A change of what is left to others takes nothing from anybody when written over. */
function hasMoved(
  planned: LiveJob,
  present: JsonObject,
  live: JsonObject,
  ignore: readonly string[],
): boolean {
  if (planned.version === versionOf(present)) return false;
  const owner = markOf(objectIn(present.Spec) ?? {});
  return owner !== planned.owner || compareServices(planned.spec, live, ignore).length > 0;
}

function hasMaterials(spec: JsonObject): boolean {
  return (["configs", "secrets", "networks"] as const).some((kind) => materialsIn(spec, kind).length > 0);
}

function hasReferences(spec: JsonObject): boolean {
  const container = objectIn(objectIn(spec.TaskTemplate)?.ContainerSpec);
  return (container?.Configs ?? container?.Secrets) !== undefined || referencesOf(spec).size > 0;
}

async function remove(
  { client, tidying }: Swarm,
  { id, mark }: RemoveRequest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const service = await one(client, id, signal);
  if (!service) return;
  if (markOf(objectIn(service.Spec) ?? {}) !== mark)
    throw conflict(`the service ${id} does not bear this engine's mark; it stays`);
  await client.remove(service, signal);
  const left = leftoversOf(mark, service, undefined);
  if ((await tidying.now(left, signal)) > 0) tidying.later(left, signal);
}
