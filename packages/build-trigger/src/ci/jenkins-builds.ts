import { SluiceError } from "@sluice/core";
import type { CiState } from "./ci-server.ts";
import { jsonOf, refusal } from "./connection.ts";
import type { JenkinsSession } from "./jenkins-session.ts";

/** The parameter by which a build is found again; a job must declare it, since Jenkins drops what a job does not declare. */
export const ID_PARAMETER = "SLUICE_BUILD_ID";

export const NAME = "Jenkins";
const BUILD_FIELDS = "number,queueId,building,result,actions[parameters[name,value]]";
const LOOK_BACK = 50;

/** A build that was asked for. */
export interface WantedBuild {
  readonly session: JenkinsSession;
  /** The job's path: `job/team/job/shop`. */
  readonly job: string;
  /** The value of its `SLUICE_BUILD_ID`. */
  readonly id: string;
}

interface Parameters {
  readonly actions?: readonly { readonly parameters?: readonly { name: string; value: unknown }[] }[];
}
interface Build extends Parameters {
  readonly number: number;
  readonly queueId?: number;
  readonly building?: boolean;
  readonly result?: string | null;
}

/** Its handle, `queue:<item>` or `build:<number>`; undefined: Jenkins has not got it. */
export async function findBuild(
  { session, job, id }: WantedBuild,
  signal: AbortSignal,
): Promise<string | undefined> {
  // The queue first: what leaves it between the two questions is then seen among the builds.
  const fields = "items[id,actions[parameters[name,value]]]";
  const queue = await read<{ items?: (Parameters & { id: number })[] }>(
    session,
    `queue/api/json?tree=${fields}`,
    signal,
  );
  const waiting = queue.items?.find((item) => isOf(item, id));
  if (waiting) return `queue:${waiting.id}`;
  const build = (await recentBuilds(session, job, signal)).find((one) => isOf(one, id));
  return build && `build:${build.number}`;
}

function isOf(found: Parameters, id: string): boolean {
  return idOf(found) === id;
}

/** Jenkins may begin its numbers anew, as after a restart: one that bears another id is another build. */
function isAnother(found: Parameters, id: string): boolean {
  const own = idOf(found);
  return own !== undefined && own !== id;
}

function idOf({ actions = [] }: Parameters): unknown {
  const all = actions.flatMap((action) => action?.parameters ?? []);
  return all.find(({ name }) => name === ID_PARAMETER)?.value;
}

async function recentBuilds(
  session: JenkinsSession,
  job: string,
  signal: AbortSignal,
): Promise<readonly Build[]> {
  const path = `${job}/api/json?tree=builds[${BUILD_FIELDS}]{0,${LOOK_BACK}}`;
  return (await read<{ builds?: Build[] }>(session, path, signal)).builds ?? [];
}

interface QueueItem extends Parameters {
  readonly cancelled?: boolean;
  readonly why?: string | null;
  readonly executable?: { readonly number: number } | null;
}

export async function followQueue(wanted: WantedBuild, item: number, signal: AbortSignal): Promise<CiState> {
  const fields = "cancelled,why,executable[number],actions[parameters[name,value]]";
  const answer = await wanted.session.get(`queue/item/${item}/api/json?tree=${fields}`, signal);
  // Items that left the queue are remembered for five minutes only.
  if (answer.status === 404) return followForgotten(wanted, item, signal);
  if (answer.status !== 200) throw refusal(NAME, answer, "a question about its queue");
  const found = jsonOf<QueueItem>(NAME, answer);
  if (isAnother(found, wanted.id)) return followForgotten(wanted, item, signal);
  const { cancelled, why, executable } = found;
  const message = "the build was cancelled in the queue";
  if (cancelled) return { kind: "done", result: "aborted", message, url: undefined };
  if (executable) return followBuild(wanted, executable.number, signal);
  return { kind: "queued", handle: `queue:${item}`, why: why ?? "it waits in the queue" };
}

async function followForgotten(wanted: WantedBuild, item: number, signal: AbortSignal): Promise<CiState> {
  const { session, job, id } = wanted;
  const recent = await recentBuilds(session, job, signal);
  const build =
    recent.find((one) => isOf(one, id)) ?? recent.find((one) => one.queueId === item && !isAnother(one, id));
  if (!build)
    throw new SluiceError("CI_REFUSED", `${NAME} knows nothing any more of the queue's item ${item}`);
  return stateOf(session, job, build);
}

export async function followBuild(
  wanted: WantedBuild,
  number: number,
  signal: AbortSignal,
): Promise<CiState> {
  const { session, job, id } = wanted;
  const answer = await session.get(`${job}/${number}/api/json?tree=${BUILD_FIELDS}`, signal);
  if (answer.status !== 200 && answer.status !== 404)
    throw refusal(NAME, answer, `a question about build ${number}`);
  const build = answer.status === 200 ? jsonOf<Build>(NAME, answer) : undefined;
  if (!build || isAnother(build, id))
    throw new SluiceError("CI_REFUSED", `${NAME}'s build ${number} does not exist any more`);
  return stateOf(session, job, build);
}

/** https://javadoc.jenkins.io/hudson/model/Result.html */
const RESULTS: Readonly<Record<string, "succeeded" | "failed" | "aborted">> = {
  SUCCESS: "succeeded",
  UNSTABLE: "failed",
  FAILURE: "failed",
  NOT_BUILT: "aborted",
  ABORTED: "aborted",
};

function stateOf(session: JenkinsSession, job: string, { number, building, result }: Build): CiState {
  const url = session.url(`${job}/${number}/`);
  if (building || !result) return { kind: "running", handle: `build:${number}`, url };
  const end = RESULTS[result] ?? "failed";
  return { kind: "done", result: end, message: `build ${number} ended with ${result}`, url };
}

async function read<T>(session: JenkinsSession, path: string, signal: AbortSignal): Promise<T> {
  const answer = await session.get(path, signal);
  if (answer.status !== 200) throw refusal(NAME, answer, "a question");
  return jsonOf<T>(NAME, answer);
}
