import { type ApplyRequest, isSluiceError, type JsonObject, type LiveJob, SluiceError } from "@sluice/core";
import { withValueFrom } from "../format/field-path.ts";
import { absoluteId } from "./app-id.ts";
import type { DeploymentClient, JobStore } from "./client.ts";
import { compareJobs } from "./compare.ts";
import { versionOf } from "./live-app.ts";
import { markOf, withMark } from "./mark.ts";

/** What a write needs of one kind of job. */
export interface WriteContext {
  readonly store: JobStore;
  readonly deployments: DeploymentClient;
}

export interface Written {
  readonly version: string;
  /** What was replaced. */
  readonly before: JsonObject | undefined;
}

/** @throws SCHEDULER_CONFLICT where the job exists. */
export async function create(
  { store }: WriteContext,
  request: ApplyRequest,
  signal: AbortSignal | undefined,
): Promise<Written> {
  await request.proof?.();
  return { version: versionOf(await store.create(bodyOf(request), signal)), before: undefined };
}

/**
 * Replaces a job that is still as it was planned against. Marathon has no compare-and-set: the job is read just before, and
 * just after. In between its own lock helps: another write is refused, or refuses this one, as long as it is being deployed.
 */
export async function update(
  context: WriteContext,
  request: ApplyRequest & { readonly live: LiveJob },
  signal: AbortSignal | undefined,
): Promise<Written> {
  const { store } = context;
  const { id, live, ignore, mark } = request;
  const present = await store.read(id, signal);
  if (!present) throw conflict(`${absoluteId(id)} is gone`);
  if (hasMoved(live, present, ignore))
    throw conflict(`somebody changed ${absoluteId(id)} since it was planned`);
  const body = ignore.reduce(
    (job, path) => withMark(withValueFrom(job, present, path), mark),
    bodyOf(request),
  );
  const deployed = await replace(context, request, body, signal);
  // What is answered is the deployment's version, which is not the job's where nothing or only its size changed.
  const written = await store.read(id, signal);
  if (!written || isSomebodyElses(written, { present, body, deployed, ignore }))
    throw conflict(`somebody changed ${absoluteId(id)} right after it was written`);
  return { version: versionOf(written), before: present };
}

/**
 * A rollout of this job alone gives way to its newer spec: one that never ends would otherwise keep its own repair out. A
 * deployment that concerns anything else is waited for.
 */
async function replace(
  { store, deployments }: WriteContext,
  { id, live, mark, proof }: ApplyRequest,
  body: JsonObject,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  await proof?.();
  try {
    return await store.replace(id, body, signal);
  } catch (error) {
    if (!isSluiceError(error, "SCHEDULER_LOCKED") || live?.owner !== mark) throw error;
    if (!(await endOwn(deployments, { id, proof }, signal))) throw error;
    await proof?.();
    return await store.replace(id, body, signal);
  }
}

/** @returns false where a deployment of the job concerns others too; then none was ended. */
async function endOwn(
  deployments: DeploymentClient,
  { id, proof }: Pick<ApplyRequest, "id" | "proof">,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const path = absoluteId(id);
  const touching = (await deployments.running(signal)).filter((one) => one.affects.includes(path));
  if (touching.length === 0 || touching.some((one) => one.affects.some((other) => other !== path)))
    return false;
  for (const one of touching) {
    await proof?.();
    await deployments.end(one.id, signal);
  }
  return true;
}

/** A restart, or a change of what is left to others, moves the version but takes nothing from anybody when written over. */
function hasMoved(planned: LiveJob, present: JsonObject, ignore: readonly string[]): boolean {
  if (planned.version === versionOf(present)) return false;
  return markOf(present) !== planned.owner || compareJobs(planned.spec, present, ignore).length > 0;
}

interface Comparison {
  readonly present: JsonObject;
  readonly body: JsonObject;
  readonly deployed: string | undefined;
  readonly ignore: readonly string[];
}

/** Neither the version the write was given nor the one before it, and not what was sent. */
function isSomebodyElses(written: JsonObject, { present, body, deployed, ignore }: Comparison): boolean {
  const version = versionOf(written);
  if (deployed === undefined || version.includes(deployed) || version === versionOf(present)) return false;
  return compareJobs(body, written, ignore).length > 0;
}

function bodyOf({ spec, id, mark }: ApplyRequest): JsonObject {
  return withMark({ ...spec, id: absoluteId(id) }, mark);
}

function conflict(message: string): SluiceError {
  return new SluiceError("SCHEDULER_CONFLICT", message);
}
