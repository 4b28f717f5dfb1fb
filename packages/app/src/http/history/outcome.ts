import {
  type CommitId,
  type DeploymentNote,
  type EnvName,
  type JobKey,
  type JobStatus,
  parseDeploymentNotes,
  parseRevision,
  type Revision,
  type SluiceEvent,
} from "@sluice/core";

/** How a job did at a revision, and who says so. */
export interface JobOutcome {
  /** `unknown`: nobody wrote it down. */
  readonly state: "healthy" | "failed" | "superseded" | "unknown";
  /** A word of `REASONS`, where it failed. */
  readonly reason?: string;
  readonly message?: string;
  /** When that deployment ended; ISO 8601. */
  readonly at?: string;
  /** The revision it was deployed with: the commit itself, or a later one that was pushed with it. */
  readonly commit?: CommitId;
  readonly from?: "note" | "events" | "status";
}

/** What is known of a job from outside its history. */
export interface OutcomeSources {
  readonly environment: EnvName;
  readonly key: JobKey;
  readonly notes: ReadonlyMap<CommitId, string>;
  readonly status: JobStatus | undefined;
  /** The deployer's newest events, oldest first. */
  readonly events: readonly SluiceEvent[];
}

/**
 * How a spec of the job did.
 * @param commits those during which it was what Git said, oldest first.
 */
export function outcomeOf(commits: readonly CommitId[], sources: OutcomeSources): JobOutcome {
  let last: JobOutcome | undefined;
  for (const commit of commits) {
    const text = sources.notes.get(commit);
    const note = parseDeploymentNotes(text ?? "")
      .filter((one) => one.environment === sources.environment)
      .at(-1);
    if (note) last = { ...noted(note, sources.key), at: note.at, commit, from: "note" };
    // The first deployment that was not overtaken tells how this spec did; later ones tell of what came after.
    if (last && last.state !== "superseded") return last;
  }
  return fromEvents(commits, sources) ?? fromStatus(commits, sources.status) ?? last ?? { state: "unknown" };
}

/** Jobs that did well are not named in a note. */
function noted(
  { state, problems }: DeploymentNote,
  key: JobKey,
): Pick<JobOutcome, "state" | "reason" | "message"> {
  if (state === "superseded") return { state };
  const problem = problems.find((one) => one.key === key);
  if (problem) return { state: "failed", reason: problem.reason, message: problem.message };
  const whole = problems.find((one) => one.key === undefined);
  if (whole) return { state: "failed", reason: whole.reason, message: whole.message };
  return { state: "healthy" };
}

/** What the log still has of the first deployment that says how this spec did. */
function fromEvents(
  commits: readonly CommitId[],
  { key, events }: Pick<OutcomeSources, "key" | "events">,
): JobOutcome | undefined {
  for (const commit of commits) {
    const told = events.flatMap((event) => verdictIn(event, key, commit) ?? []);
    const last = told.at(-1);
    if (last) return { ...last, commit, from: "events" };
  }
  return undefined;
}

function verdictIn(event: SluiceEvent, key: JobKey, commit: CommitId): JobOutcome | undefined {
  const isOf = (revision: Revision | undefined) => revision && parseRevision(revision).commit === commit;
  const { at } = event;
  // What a job comes to long after it was healthy is no outcome of a deployment.
  if (event.type === "job.changed" && event.key === key && isOf(event.status.attempted)) {
    const { applied, attempted, failed, reason, message } = event.status;
    if (applied === attempted) return { state: "healthy", at };
    return failed === undefined ? undefined : { state: "failed", reason, message, at };
  }
  if (event.type !== "deployment.finished" || !isOf(event.revision)) return undefined;
  return event.status.state === "healthy" ? { state: "healthy", at } : undefined;
}

function fromStatus(commits: readonly CommitId[], status: JobStatus | undefined): JobOutcome | undefined {
  const within = (revision: Revision | undefined) => {
    const commit = revision && parseRevision(revision).commit;
    return commit && commits.includes(commit) ? commit : undefined;
  };
  const applied = within(status?.applied);
  if (applied) return { state: "healthy", commit: applied, from: "status" };
  const attempted = within(status?.attempted);
  if (!attempted || !status || status.health === "Progressing") return undefined;
  const { reason, message, since } = status;
  return { state: "failed", reason, message, at: since, commit: attempted, from: "status" };
}
