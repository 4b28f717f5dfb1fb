import {
  type DeploymentCounts,
  type DeploymentStatus,
  encodeRecord,
  isSluiceError,
  type JobStatus,
  type Problem,
  type Reason,
  type Revision,
  type SilentTarget,
} from "@sluice/core";
import type { Tree } from "./desired/tree.ts";
import { known, type Pass, type Term } from "./term.ts";
import { failureText, problemText } from "./text.ts";

const NOTHING_COUNTED: DeploymentCounts = {
  jobs: 0,
  healthy: 0,
  progressing: 0,
  failed: 0,
  created: 0,
  updated: 0,
  pruned: 0,
};

/** Opens the deployment of a revision, or of failed specs that are tried again. @returns true where the revision is a new one. */
export function beginDeployment(pass: Pass, revision: Revision): boolean {
  const { term } = pass;
  const old = term.deployment;
  const fresh = old?.attempted !== revision;
  if (!fresh && !term.retry) return false;
  if (fresh && old && old.finishedAt === undefined)
    term.emit({ type: "deployment.superseded", revision: old.attempted, by: revision });
  term.deployment = {
    attempted: revision,
    applied: old?.applied,
    state: "progressing",
    reason: "Progressing",
    message: "the deployment is under way",
    counts: NOTHING_COUNTED,
    startedAt: new Date(pass.startedAt).toISOString(),
    finishedAt: undefined,
    ...(old?.syncedToken === undefined ? {} : { syncedToken: old.syncedToken }),
    ...complaintsOf(term),
  };
  if (fresh) term.emit({ type: "deployment.started", revision });
  putDeployment(term);
  return fresh;
}

/** Writes how the deployment stands with the next commit, counted at that moment. */
export function putDeployment(term: Term): void {
  term.writer.put(term.layout.deployment, () => {
    const now = term.deployment;
    if (!now) return undefined;
    const counts = { ...now.counts, ...(term.tree ? term.census.counts() : {}) };
    return encodeRecord(now.finishedAt === undefined ? { ...now, counts } : now);
  });
}

/** Ends a deployment that cannot even begin. */
export async function failDeployment(
  pass: Pass,
  revision: Revision,
  problems: readonly Problem[],
): Promise<void> {
  const { term } = pass;
  const message = problems.map(problemText).join("; ");
  const reason: Reason = problems[0]?.reason ?? "InvalidSpec";
  beginDeployment(pass, revision);
  const open = known(term.deployment, "deployment");
  const standing = { ...open, ...listed(problems) };
  const now = { ...standing, state: "stalled", reason, message, ...receiptOf(pass) } as const;
  conclude(term, now, open.finishedAt === undefined);
  await term.writer.flush();
}

/** Brings the deployment up to date at the end of a pass: it ends once nothing is under way any more. */
export function updateDeployment(pass: Pass): void {
  const { term } = pass;
  const tree = known(term.tree, "revision");
  const old = known(term.deployment, "deployment");
  const counts = { ...old.counts, ...term.census.counts() };
  const open = old.finishedAt === undefined;
  const standing = { ...withoutComplaints(old), ...complaintsOf(term), counts };
  if (counts.progressing > 0 && (open || counts.failed === 0)) {
    if (JSON.stringify(standing) !== JSON.stringify(old)) {
      term.deployment = standing;
      putDeployment(term);
    }
    return;
  }
  const now = { ...standing, ...verdictOn(term, tree), ...receiptOf(pass) };
  const applied = now.state === "healthy" ? old.attempted : old.applied;
  conclude(term, { ...now, applied }, open || applied !== old.applied);
}

/** Whoever asked for a sync is told that it is done, but not while a target's answer is missing. */
function receiptOf({ seen, unlisted, unfinished }: Pass): Pick<DeploymentStatus, "syncedToken"> {
  const at = [seen?.sync?.at, seen?.agreed?.at]
    .filter((one) => one !== undefined)
    .sort()
    .at(-1);
  return at === undefined || unlisted.size > 0 || unfinished.size > 0 ? {} : { syncedToken: at };
}

/** A record lists this many problems at the most. */
const MOST_LISTED = 50;

type Complaints = Pick<DeploymentStatus, "problems" | "problemsTotal" | "silent">;

/** What is wrong apart from any job: with files that hold none that could be read, and with targets that do not answer. */
function complaintsOf({ tree, failing }: Term): Complaints {
  const silent = silentTargets(failing);
  return { ...listed(tree?.desired.problems ?? []), ...(silent.length > 0 ? { silent } : {}) };
}

function listed(problems: readonly Problem[]): Complaints {
  if (problems.length === 0) return {};
  const total = problems.length > MOST_LISTED ? { problemsTotal: problems.length } : {};
  return { problems: problems.slice(0, MOST_LISTED), ...total };
}

function silentTargets(failing: Term["failing"]): SilentTarget[] {
  return [...failing].map(([target, { since, error }]) => ({
    target,
    reason: isSluiceError(error, "SCHEDULER_DENIED") ? "Denied" : "Unreachable",
    message: failureText(error),
    since: new Date(since).toISOString(),
  }));
}

function silentText({ target, message }: SilentTarget): string {
  return `the target ${target} does not answer, so nothing is known of its jobs but what was seen last: ${message}`;
}

function withoutComplaints(status: DeploymentStatus): DeploymentStatus {
  const { problems: _, problemsTotal: __, silent: ___, ...rest } = status;
  return rest;
}

function conclude(term: Term, now: DeploymentStatus, finished: boolean): void {
  const old = term.deployment;
  const at = term.options.clock.now();
  const status = finished ? { ...now, finishedAt: new Date(at).toISOString() } : now;
  if (old && JSON.stringify(old) === JSON.stringify(status)) return;
  term.deployment = status;
  const event = {
    type: "deployment.finished",
    revision: now.attempted,
    status,
    ms: at - Date.parse(now.startedAt),
  } as const;
  term.writer.put(
    term.layout.deployment,
    () => term.deployment && encodeRecord(term.deployment),
    finished ? () => term.emit(event) : undefined,
  );
}

function verdictOn(
  { census, failing }: Term,
  { desired }: Tree,
): Pick<DeploymentStatus, "state" | "reason" | "message"> {
  const { jobs, failed } = census.counts();
  const others = failed > 1 ? `, and ${failed - 1} more` : "";
  const silent = silentTargets(failing).find(({ target }) => (failing.get(target)?.times ?? 0) > 1);
  const [degraded, stalled, problem] = [census.degraded(), census.stalled(), desired.problems[0]];
  if (degraded) return { state: "degraded", ...said(degraded, others) };
  if (problem) return { state: "stalled", reason: problem.reason, message: problemText(problem) };
  if (stalled) return { state: "stalled", ...said(stalled, others) };
  if (silent) return { state: "degraded", reason: silent.reason, message: silentText(silent) };
  return { state: "healthy", reason: "Applied", message: `all ${jobs} jobs are healthy` };
}

function said(status: JobStatus, others: string): Pick<DeploymentStatus, "reason" | "message"> {
  return { reason: status.reason, message: `${status.key}: ${status.message}${others}` };
}
