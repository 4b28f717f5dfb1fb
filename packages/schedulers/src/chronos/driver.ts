import {
  type ApplyRequest,
  type Clock,
  type JsonObject,
  type LiveJob,
  type LiveQuery,
  type RemoveRequest,
  type Scheduler,
  SluiceError,
} from "@sluice/core";
import { withValueFrom } from "../format/field-path.ts";
import { listIn, textIn } from "../format/reading.ts";
import { httpConnection } from "../http/connection.ts";
import { laneLimit } from "../http/lanes.ts";
import type { HttpOptions } from "../http/options.ts";
import { type ChronosClient, chronosClient } from "./client.ts";
import { childrenOf, closesCircle } from "./family.ts";
import { COUNTERS, liveJob, versionOf } from "./live-job.ts";
import { markOf, withMark } from "./mark.ts";
import { compareJobs, isSameSchedule } from "./normalise.ts";
import { withoutPastStart } from "./schedule.ts";

export interface ChronosOptions extends HttpOptions {
  readonly clock: Clock;
  /** How long Chronos may take to show a job it accepted; 30 s unless told. */
  readonly visibleWithinMs?: number;
}

const VISIBLE_WITHIN_MS = 30_000;
const FIRST_POLL_MS = 20;
const SLOWEST_POLL_MS = 1000;

interface Chronos {
  readonly client: ChronosClient;
  readonly options: ChronosOptions;
}

/**
 * Chronos 2.x and 3.x. The mark is the environment variable `SLUICE_OWNER`. Chronos has no compare-and-set: a job is read
 * again just before it is written. Writes go one by one, since each one may change what the next one sees of the graph.
 */
export function chronos(options: ChronosOptions): Scheduler {
  const client = chronosClient(httpConnection("Chronos", options));
  const oneByOne = laneLimit(1);
  return {
    list: (query, signal) => list(client, query, signal),
    async apply(request, signal) {
      const job = await oneByOne(() => write({ client, options }, request, signal));
      return { version: versionOf(await shown({ client, options }, request, job, signal)) };
    },
    remove: (request, signal) => oneByOne(() => remove(client, request, signal)),
  };
}

async function list(
  client: ChronosClient,
  query: LiveQuery,
  signal: AbortSignal | undefined,
): Promise<readonly LiveJob[]> {
  const jobs = (await client.jobs(signal)).map(liveJob);
  if ("mark" in query) return jobs.filter((job) => job.owner === query.mark);
  const wanted = new Set(query.ids);
  return jobs.filter((job) => wanted.has(job.id));
}

async function write(
  chronos: Chronos,
  request: ApplyRequest,
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  const { id, live, ignore } = request;
  const present = await chronos.client.job(id, signal);
  if (!live && present) throw conflict(`a job ${id} exists already`);
  if (live && !present) throw conflict(`the job ${id} is gone`);
  if (live && present && hasMoved(live, present, ignore))
    throw conflict(`somebody changed the job ${id} since it was planned`);
  await refuseBrokenFamily(chronos.client, request, signal);
  const job = bodyOf(request, present, chronos.options.clock.now());
  await request.proof?.();
  await chronos.client.write(job, signal);
  return job;
}

/** Running changes a job's counters and schedule, and nobody minds. */
function hasMoved(planned: LiveJob, present: JsonObject, ignore: readonly string[]): boolean {
  if (planned.version === versionOf(present)) return false;
  return markOf(present) !== planned.owner || compareJobs(planned.spec, present, ignore).length > 0;
}

/** Chronos 3 hides a job whose parents are missing, and exits on a circle (reference 2.0). */
async function refuseBrokenFamily(
  client: ChronosClient,
  { id, spec }: ApplyRequest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const parents = listIn(spec.parents).map(String);
  if (parents.length === 0) return;
  const jobs = await client.jobs(signal);
  const missing = parents.filter((parent) => !jobs.some((job) => job.name === parent));
  if (missing.length > 0) throw conflict(`the parent ${missing.join(", ")} of ${id} is not in Chronos`);
  if (closesCircle(jobs, id, parents)) throw conflict(`with these parents ${id} would come after itself`);
}

/**
 * The whole job to post. A new job is posted as its file has it, so that one whose start is past runs at once, as Chronos
 * has it. A write to a present job replaces everything, so every counter, and a schedule that merely moved on, is carried
 * along, and a changed schedule does not make it run at once.
 */
function bodyOf(
  { id, spec, mark, ignore }: ApplyRequest,
  present: JsonObject | undefined,
  now: number,
): JsonObject {
  const wanted: JsonObject = { ...spec, name: id };
  if (!present) return withMark(wanted, mark);
  const kept = ignore.reduce((job, path) => withValueFrom(job, present, path), wanted);
  const counters = Object.fromEntries(
    COUNTERS.flatMap((key) => (present[key] === undefined ? [] : [[key, present[key]]])),
  );
  const timed = isSameSchedule(kept, present)
    ? { ...kept, schedule: present.schedule ?? "" }
    : startingLater(kept, now);
  return withMark({ ...timed, ...counters }, mark, textIn(present.lastError));
}

function startingLater(job: JsonObject, now: number): JsonObject {
  const schedule = textIn(job.schedule);
  if (schedule === undefined) return job;
  return { ...job, schedule: withoutPastStart(schedule, textIn(job.scheduleTimeZone) ?? "", now) };
}

/**
 * Waits until Chronos shows the job as it was written: version 3 takes a write in before it looks at it. A job that is
 * still shown otherwise at the deadline is returned so, and its differences will speak for themselves.
 */
async function shown(
  { client, options }: Chronos,
  { id, live, mark }: ApplyRequest,
  written: JsonObject,
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  const deadline = options.clock.now() + (options.visibleWithinMs ?? VISIBLE_WITHIN_MS);
  for (let pause = FIRST_POLL_MS; ; pause = Math.min(SLOWEST_POLL_MS, pause * 2)) {
    const job = await client.job(id, signal);
    const ours = job !== undefined && markOf(job) === mark;
    const late = options.clock.now() >= deadline;
    if (ours && (!live || late || compareJobs(written, job, []).length === 0)) return job;
    signal?.throwIfAborted();
    if (late)
      throw new SluiceError("SCHEDULER_UNREACHABLE", `Chronos accepted the job ${id} but does not show it`);
    await options.clock.sleep(pause, signal);
  }
}

async function remove(
  client: ChronosClient,
  { id, mark, proof }: RemoveRequest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const jobs = await client.jobs(signal);
  const job = jobs.find((one) => one.name === id);
  if (!job) return;
  if (markOf(job) !== mark) throw conflict(`the job ${id} does not bear this engine's mark; it stays`);
  const children = childrenOf(jobs, id);
  if (children.length > 0)
    throw conflict(`${children.join(", ")} must go or get other parents before ${id} can be removed`);
  await proof?.();
  await client.delete(id, signal);
}

function conflict(message: string): SluiceError {
  return new SluiceError("SCHEDULER_CONFLICT", message);
}
