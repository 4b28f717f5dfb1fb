import {
  type CommitId,
  type DeploymentCounts,
  type DeploymentNote,
  type DeploymentStatus,
  formatDeploymentNote,
  type JobStatus,
  type NotedProblem,
  type NoteText,
  parseDeploymentNotes,
  parseRevision,
  type SluiceEvent,
} from "@sluice/core";
import { conditionOf, isFailure } from "../notice/condition.ts";

/** How a deployment of a commit ended. */
export interface Ended {
  readonly commit: CommitId;
  readonly note: DeploymentNote;
}

/** Undefined: the event is no end of a deployment. */
export function endOf(event: SluiceEvent): Ended | undefined {
  if (event.type === "deployment.finished") return endIn(event.status, event.environment);
  if (event.type !== "deployment.superseded") return undefined;
  const { environment, at, revision } = event;
  const note = {
    environment,
    state: "superseded" as const,
    ms: undefined,
    at,
    counts: NOTHING,
    problems: [],
  };
  return { commit: parseRevision(revision).commit, note };
}

/** The outcome a deployment's record holds; undefined: it is under way. */
export function endIn(
  status: DeploymentStatus,
  environment: DeploymentNote["environment"],
): Ended | undefined {
  const { attempted, state, startedAt, finishedAt, counts } = status;
  if (finishedAt === undefined || state === "progressing") return undefined;
  const note: DeploymentNote = {
    ...{ environment, state, at: finishedAt, counts: countsOf(counts) },
    ms: Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)),
    problems: state === "healthy" ? [] : problemsIn(status),
  };
  return { commit: parseRevision(attempted).commit, note };
}

const NOTHING: DeploymentNote["counts"] = { created: 0, updated: 0, pruned: 0 };

function countsOf({ created, updated, pruned }: DeploymentCounts): DeploymentNote["counts"] {
  return { created, updated, pruned };
}

function problemsIn({
  problems = [],
  silent = [],
  reason,
  message,
}: DeploymentStatus): readonly NotedProblem[] {
  const found = [
    ...problems.map((one) => ({
      key: undefined,
      reason: one.reason,
      message: `${one.file}: ${one.message}`,
    })),
    ...silent.map((one) => ({
      key: undefined,
      reason: one.reason,
      message: `${one.target}: ${one.message}`,
    })),
  ];
  return found.length > 0 ? found : [{ key: undefined, reason, message }];
}

/** The jobs that are not well take the place of the sentence about them. */
export function withJobs({ commit, note }: Ended, statuses: readonly JobStatus[]): Ended {
  if (note.state === "healthy" || note.state === "superseded") return { commit, note };
  const jobs = statuses.flatMap((status): NotedProblem[] => {
    const condition = conditionOf(status);
    const ofThis = status.attempted !== undefined && parseRevision(status.attempted).commit === commit;
    if (!ofThis || condition === undefined || !isFailure(condition)) return [];
    return [{ key: status.key, reason: status.reason, message: status.message }];
  });
  return jobs.length > 0 ? { commit, note: { ...note, problems: jobs } } : { commit, note };
}

/**
 * What has still to be appended, given what the notes hold: an end is there where its time and state are, or where the
 * environment's last line tells the same state already.
 */
export function missing(ends: readonly Ended[], notes: ReadonlyMap<CommitId, string>): readonly NoteText[] {
  const told = new Map<CommitId, DeploymentNote[]>();
  const texts: NoteText[] = [];
  for (const { commit, note } of ends) {
    const all = told.get(commit) ?? [...parseDeploymentNotes(notes.get(commit) ?? "")];
    told.set(commit, all);
    const ours = all.filter(({ environment }) => environment === note.environment);
    const there = ours.some(({ at, state }) => at === note.at && state === note.state);
    if (there || ours.at(-1)?.state === note.state) continue;
    all.push(note);
    texts.push({ commit, text: formatDeploymentNote(note) });
  }
  return texts;
}
