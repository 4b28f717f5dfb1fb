import {
  type JobId,
  type JsonObject,
  jobId,
  type LiveJob,
  type LiveQuery,
  type Scheduler,
} from "@sluice/core";
import { listIn, objectIn } from "../format/reading.ts";
import type { HttpConnection } from "../http/connection.ts";
import { absoluteId } from "./app-id.ts";
import { type AppClient, type DeploymentClient, readQueue } from "./client.ts";
import { liveApp, versionOf } from "./live-app.ts";
import { livePod } from "./live-pod.ts";
import { markOf } from "./mark.ts";
import { isUnsettled, outdatedOf, type QueueEntry, queueEntries } from "./observe.ts";
import type { PodClient } from "./pod-client.ts";
import type { Rollouts } from "./rollouts.ts";

export interface ListingContext {
  readonly http: HttpConnection;
  readonly apps: AppClient;
  readonly pods: PodClient;
  readonly deployments: DeploymentClient;
  readonly rollouts: Rollouts;
}

/** Apps, and the statuses of pods. */
interface Found {
  readonly apps: readonly JsonObject[];
  readonly pods: readonly JsonObject[];
}

/** Up to this many jobs are read one by one; more cost less as one list. */
const MOST_SINGLE_READS = 20;

/** See Scheduler.list. */
export function listing(context: ListingContext): Scheduler["list"] {
  return async (query, signal) => {
    const { apps, pods } = await find(context, query, signal);
    const queued = await queueOf(context, { apps, pods }, signal);
    const changing = pods.length > 0 ? await changingPods(context.deployments, signal) : new Set<string>();
    const jobs = apps.map((app) => judged(context, liveApp(app, queued.get(String(app.id))), app));
    const others = pods.map((status) => {
      const path = String(status.id);
      const live = livePod(status, { deploying: changing.has(path), queued: queued.get(path) });
      return judged(context, live, {});
    });
    return [...jobs, ...others];
  };
}

function judged({ rollouts }: ListingContext, live: LiveJob, shown: JsonObject): LiveJob {
  return { ...live, observed: rollouts.judge(live, shown) };
}

async function find(
  context: ListingContext,
  query: LiveQuery,
  signal: AbortSignal | undefined,
): Promise<Found> {
  if ("ids" in query && query.ids.length <= MOST_SINGLE_READS) return findSingly(context, query.ids, signal);
  const [apps, pods] = await Promise.all([findApps(context, query, signal), context.pods.statuses(signal)]);
  const isWanted = wantedBy(query);
  return { apps, pods: pods.filter((pod) => isWanted(pod, objectIn(pod.spec) ?? {})) };
}

/** Asks after the tasks only of apps that might have some of an earlier spec, which are few once all is quiet. */
async function findApps(
  { apps, rollouts }: ListingContext,
  query: LiveQuery,
  signal: AbortSignal | undefined,
): Promise<readonly JsonObject[]> {
  const mark = "mark" in query ? query.mark : undefined;
  const isWanted = wantedBy(query);
  const listed = (await apps.list({ mark, stats: false }, signal)).filter((app) => isWanted(app, app));
  const doubtful = listed.filter((app) => isDoubtful(app, rollouts));
  if (doubtful.length > MOST_SINGLE_READS)
    return (await apps.list({ mark, stats: true }, signal)).filter((app) => isWanted(app, app));
  const read = new Map<JsonObject, JsonObject | undefined>();
  await Promise.all(
    doubtful.map(async (app) => void read.set(app, await apps.read(jobId(String(app.id)), signal))),
  );
  const shown = listed.map((app) => (read.has(app) ? read.get(app) : app));
  return shown.filter((app) => app !== undefined).filter((app) => isWanted(app, app));
}

function wantedBy(query: LiveQuery): (shown: JsonObject, spec: JsonObject) => boolean {
  if ("mark" in query) return (_shown, spec) => markOf(spec) === query.mark;
  const wanted = new Set(query.ids.map(absoluteId));
  return (shown) => wanted.has(String(shown.id));
}

function isDoubtful(app: JsonObject, rollouts: Rollouts): boolean {
  if (listIn(app.deployments).length > 0 || outdatedOf(app) === 0) return false;
  return !rollouts.isSettled(jobId(String(app.id)), versionOf(app));
}

async function findSingly(
  { apps, pods }: ListingContext,
  ids: readonly JobId[],
  signal: AbortSignal | undefined,
): Promise<Found> {
  const found: { apps: JsonObject[]; pods: JsonObject[] } = { apps: [], pods: [] };
  await Promise.all(
    [...new Set(ids)].map(async (id) => {
      const app = await apps.read(id, signal);
      const pod = app ? undefined : await pods.status(id, signal);
      if (app) found.apps.push(app);
      if (pod) found.pods.push(pod);
    }),
  );
  return found;
}

/** The launch queue by id, asked only where it has something to tell. */
async function queueOf(
  { http }: ListingContext,
  { apps, pods }: Found,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, QueueEntry>> {
  const unsettled = apps.some(isUnsettled) || pods.some((pod) => pod.status !== "STABLE");
  const queue = unsettled ? await readQueue(http, signal) : undefined;
  return queue ? queueEntries(queue) : new Map();
}

/** Ids of the pods that a deployment changes now; a pod does not say so itself. */
async function changingPods(
  deployments: DeploymentClient,
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<string>> {
  return new Set((await deployments.running(signal)).flatMap((one) => one.affects));
}
