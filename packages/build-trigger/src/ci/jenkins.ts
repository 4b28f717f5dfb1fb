import { SluiceError } from "@sluice/core";
import type { BuildRecord } from "../record.ts";
import type { CiServer, CiState } from "./ci-server.ts";
import { type CiTls, jsonOf, refusal } from "./connection.ts";
import { type JenkinsAuth, type JenkinsSession, jenkinsSession } from "./jenkins-session.ts";

export interface JenkinsOptions {
  /** `https://ci.example.org/jenkins/`. */
  readonly url: string;
  /** The job, with its folders: `team/shop`. */
  readonly job: string;
  readonly auth: JenkinsAuth;
  /** Sent with every build, beside Sluice's own. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly tls: CiTls;
}

/** The parameter by which a build is found again; a job must declare it, since Jenkins drops what a job does not declare. */
export const ID_PARAMETER = "SLUICE_BUILD_ID";

const NAME = "Jenkins";
const BUILD_FIELDS = "number,queueId,building,result,actions[parameters[name,value]]";
const LOOK_BACK = 50;

/** Jenkins through its remote API; facts: https://www.jenkins.io/doc/book/using/remote-access-api/. */
export function jenkins(options: JenkinsOptions): CiServer {
  const session = jenkinsSession(options);
  const job = jobPath(options.job);
  return {
    start: (build, signal) => start(session, job, options, build, signal),
    find: (build, signal) => find(session, job, build.id, signal),
    follow: (handle, signal) =>
      handle.startsWith("queue:")
        ? followQueue(session, job, Number(handle.slice(6)), signal)
        : followBuild(session, job, Number(handle.slice(6)), signal),
    check: (signal) => check(session, job, options, signal),
  };
}

/** `team/shop` → `job/team/job/shop`. */
function jobPath(job: string): string {
  const parts = job.split("/").filter(Boolean);
  return parts.map((part) => `job/${encodeURIComponent(part)}`).join("/");
}

async function start(
  session: JenkinsSession,
  job: string,
  options: JenkinsOptions,
  build: BuildRecord,
  signal: AbortSignal,
): Promise<string> {
  const about = `a build of ${options.job}`;
  const answer = await session.post(
    `${job}/buildWithParameters`,
    { ...options.parameters, ...buildParameters(build) },
    signal,
  );
  const item = /queue\/item\/(\d+)/.exec(String(answer.headers.location ?? ""))?.[1];
  // 303: an identical build waits in the queue already.
  if ((answer.status === 201 || answer.status === 303) && item) return `queue:${item}`;
  if (answer.status === 404)
    throw new SluiceError("CI_REFUSED", `${NAME} has no job ${options.job}, or hides it from this account`);
  if (answer.status === 400)
    throw new SluiceError("CI_REFUSED", `${NAME}'s job ${options.job} takes no parameters`, {
      hint: `Declare the string parameters ${ID_PARAMETER}, SLUICE_COMMIT and SLUICE_BRANCH in the job.`,
    });
  if (answer.status === 409) throw new SluiceError("CI_REFUSED", `${NAME}'s job ${options.job} is disabled`);
  if (answer.status >= 200 && answer.status < 400)
    throw new SluiceError("CI_UNREACHABLE", `${NAME} answered ${about} without a place in its queue`);
  throw refusal(NAME, answer, about);
}

function buildParameters({ id, app, commit, ref, repository }: BuildRecord): Record<string, string> {
  return {
    [ID_PARAMETER]: id,
    SLUICE_APP: app,
    SLUICE_COMMIT: commit,
    SLUICE_BRANCH: ref.replace(/^refs\/heads\//, ""),
    SLUICE_REPOSITORY: repository,
  };
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

async function find(
  session: JenkinsSession,
  job: string,
  id: string,
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

function isOf({ actions = [] }: Parameters, id: string): boolean {
  return actions.some(({ parameters = [] }) =>
    parameters.some(({ name, value }) => name === ID_PARAMETER && value === id),
  );
}

async function recentBuilds(
  session: JenkinsSession,
  job: string,
  signal: AbortSignal,
): Promise<readonly Build[]> {
  const path = `${job}/api/json?tree=builds[${BUILD_FIELDS}]{0,${LOOK_BACK}}`;
  return (await read<{ builds?: Build[] }>(session, path, signal)).builds ?? [];
}

interface QueueItem {
  readonly cancelled?: boolean;
  readonly why?: string | null;
  readonly executable?: { readonly number: number } | null;
}

async function followQueue(
  session: JenkinsSession,
  job: string,
  item: number,
  signal: AbortSignal,
): Promise<CiState> {
  const answer = await session.get(
    `queue/item/${item}/api/json?tree=cancelled,why,executable[number]`,
    signal,
  );
  // Items that left the queue are remembered for five minutes only.
  if (answer.status === 404) return followForgotten(session, job, item, signal);
  if (answer.status !== 200) throw refusal(NAME, answer, "a question about its queue");
  const { cancelled, why, executable } = jsonOf<QueueItem>(NAME, answer);
  if (cancelled)
    return {
      kind: "done",
      result: "aborted",
      message: "the build was cancelled in the queue",
      url: undefined,
    };
  if (executable) return followBuild(session, job, executable.number, signal);
  return { kind: "queued", handle: `queue:${item}`, why: why ?? "it waits in the queue" };
}

async function followForgotten(
  session: JenkinsSession,
  job: string,
  item: number,
  signal: AbortSignal,
): Promise<CiState> {
  const build = (await recentBuilds(session, job, signal)).find(({ queueId }) => queueId === item);
  if (!build)
    throw new SluiceError("CI_REFUSED", `${NAME} knows nothing any more of the queue's item ${item}`);
  return stateOf(session, job, build);
}

async function followBuild(
  session: JenkinsSession,
  job: string,
  number: number,
  signal: AbortSignal,
): Promise<CiState> {
  const answer = await session.get(`${job}/${number}/api/json?tree=number,building,result`, signal);
  if (answer.status === 404)
    throw new SluiceError("CI_REFUSED", `${NAME}'s build ${number} does not exist any more`);
  if (answer.status !== 200) throw refusal(NAME, answer, `a question about build ${number}`);
  return stateOf(session, job, jsonOf<Build>(NAME, answer));
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

const JOB_FIELDS = "buildable,property[parameterDefinitions[name]]";

async function check(
  session: JenkinsSession,
  job: string,
  { job: name }: JenkinsOptions,
  signal: AbortSignal,
): Promise<string> {
  const answer = await session.get(`${job}/api/json?tree=${encodeURIComponent(JOB_FIELDS)}`, signal);
  if (answer.status !== 200) throw refusal(NAME, answer, `a look at ${name}`);
  const { buildable, property = [] } = jsonOf<JobFields>(NAME, answer);
  if (buildable === false) throw new SluiceError("CI_REFUSED", `the job ${name} is disabled`);
  const declared = property.flatMap(({ parameterDefinitions = [] }) => parameterDefinitions);
  if (declared.some((one) => one.name === ID_PARAMETER)) return `the job ${name} can be built`;
  throw new SluiceError("CI_REFUSED", `the job ${name} does not declare the parameter ${ID_PARAMETER}`, {
    hint: "Declare the string parameters that docs/builds.md lists.",
  });
}

interface JobFields {
  readonly buildable?: boolean;
  readonly property?: readonly { readonly parameterDefinitions?: readonly { readonly name: string }[] }[];
}
