import {
  type DeploymentCounts,
  type DeploymentStatus,
  encodeRecord,
  type JobStatus,
  type Reason,
  type Revision,
} from "@sluice/core";
import type { Tree } from "./desired/tree.ts";
import { known, type Pass, type Term } from "./term.ts";
import { problemText } from "./text.ts";

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
  reason: Reason,
  message: string,
): Promise<void> {
  const { term } = pass;
  beginDeployment(pass, revision);
  const open = known(term.deployment, "deployment");
  const now = { ...open, state: "stalled", reason, message, ...receiptOf(pass) } as const;
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
  if (counts.progressing > 0 && (open || counts.failed === 0)) {
    if (JSON.stringify(counts) !== JSON.stringify(old.counts)) {
      term.deployment = { ...old, counts };
      putDeployment(term);
    }
    return;
  }
  const now = { ...old, counts, ...verdictOn(term, tree), ...receiptOf(pass) };
  const applied = now.state === "healthy" ? old.attempted : old.applied;
  conclude(term, { ...now, applied }, open || applied !== old.applied);
}

/** Whoever asked for a sync is told that it is done, but not while a target's answer is missing. */
function receiptOf({ seen, unlisted, unfinished }: Pass): Pick<DeploymentStatus, "syncedToken"> {
  const at = seen?.sync?.at;
  return at === undefined || unlisted.size > 0 || unfinished.size > 0 ? {} : { syncedToken: at };
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
  { census }: Term,
  { desired }: Tree,
): Pick<DeploymentStatus, "state" | "reason" | "message"> {
  const { jobs, failed } = census.counts();
  const others = failed > 1 ? `, and ${failed - 1} more` : "";
  const [degraded, stalled, problem] = [census.degraded(), census.stalled(), desired.problems[0]];
  if (degraded) return { state: "degraded", ...said(degraded, others) };
  if (problem) return { state: "stalled", reason: problem.reason, message: problemText(problem) };
  if (stalled) return { state: "stalled", ...said(stalled, others) };
  return { state: "healthy", reason: "Applied", message: `all ${jobs} jobs are healthy` };
}

function said(status: JobStatus, others: string): Pick<DeploymentStatus, "reason" | "message"> {
  return { reason: status.reason, message: `${status.key}: ${status.message}${others}` };
}
