import { SluiceError } from "@sluice/core";
import { type BuildRecord, runId } from "../record.ts";
import type { CiServer } from "./ci-server.ts";
import { type CiTls, jsonOf, refusal } from "./connection.ts";
import { findBuild, followBuild, followQueue, ID_PARAMETER, NAME } from "./jenkins-builds.ts";
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

/** Jenkins through its remote API; facts: https://www.jenkins.io/doc/book/using/remote-access-api/. */
export function jenkins(options: JenkinsOptions): CiServer {
  const session = jenkinsSession(options);
  const job = jobPath(options.job);
  return {
    start: (build, signal) => start(session, job, options, build, signal),
    find: (build, signal) => findBuild({ session, job, id: runId(build) }, signal),
    follow(handle, build, signal) {
      const number = Number(handle.slice(6));
      const wanted = { session, job, id: runId(build) };
      return handle.startsWith("queue:")
        ? followQueue(wanted, number, signal)
        : followBuild(wanted, number, signal);
    },
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

function buildParameters(build: BuildRecord): Record<string, string> {
  const { app, commit, ref, repository } = build;
  return {
    [ID_PARAMETER]: runId(build),
    SLUICE_APP: app,
    SLUICE_COMMIT: commit,
    SLUICE_BRANCH: ref.replace(/^refs\/heads\//, ""),
    SLUICE_REPOSITORY: repository,
  };
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
