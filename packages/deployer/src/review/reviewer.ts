import {
  type ChangeSummary,
  type CommitId,
  type DesiredJob,
  type FilePath,
  isSluiceError,
  type JobFormat,
  type JobKey,
  maskField,
  type Problem,
  type Source,
  type TargetName,
} from "@sluice/core";
import { movedSnapshot, type Snapshot, snapshotOf, snapshotOfFiles } from "./snapshot.ts";

/** What a push would do, as far as Git alone can tell. */
export interface Review {
  /** Everything wrong with the new files, `deploy.yaml` first. */
  readonly problems: readonly Problem[];
  /** New revision against old one, by field, masked. Where nothing runs yet, everything is a creation. */
  readonly changes: readonly ChangeSummary[];
  /** Jobs the new revision holds that can be applied. */
  readonly jobs: number;
}

export interface Reviewer {
  /**
   * Compares two commits. The latest commits that were reviewed are kept parsed, so that a review costs what the change
   * costs. @param from undefined: against nothing. @throws what the source throws.
   */
  review(source: Source, from: CommitId | undefined, to: CommitId, signal?: AbortSignal): Promise<Review>;
  /** Checks files that are no commit yet: a whole environment, against nothing. */
  checkFiles(files: Iterable<{ readonly path: FilePath; readonly bytes: Uint8Array }>): Review;
}

export interface ReviewerOptions {
  readonly formats: ReadonlyMap<TargetName, JobFormat>;
}

/** Commits that are kept parsed; they share what they have in common. */
const MOST_KEPT = 4;

/** A reviewer of one environment: all sources it is given must show the same repository and folder. */
export function reviewer({ formats }: ReviewerOptions): Reviewer {
  /** From the least to the most recently used. */
  const kept = new Map<CommitId, Snapshot>();

  async function snapshotAt(
    source: Source,
    commit: CommitId,
    signal: AbortSignal | undefined,
  ): Promise<Snapshot> {
    const found =
      kept.get(commit) ??
      (await fromKept(source, commit, signal)) ??
      (await snapshotOf(source, commit, formats, signal));
    kept.delete(commit);
    kept.set(commit, found);
    for (const oldest of kept.keys()) if (kept.size > MOST_KEPT) kept.delete(oldest);
    return found;
  }

  async function fromKept(
    source: Source,
    commit: CommitId,
    signal: AbortSignal | undefined,
  ): Promise<Snapshot | undefined> {
    for (const [known, snapshot] of [...kept].reverse()) {
      try {
        return await movedSnapshot(source, [snapshot, known], commit, formats, signal);
      } catch (error) {
        if (!isSluiceError(error, "GIT_OBJECT_MISSING")) throw error;
        // A commit of a push that was refused: its objects are gone with the quarantine they came in.
        kept.delete(known);
      }
    }
    return undefined;
  }

  return {
    async review(source, from, to, signal) {
      // The old commit first: it is there for sure, and becomes what the new one is read against.
      const before = from && (await snapshotAt(source, from, signal));
      return reviewOf(before, await snapshotAt(source, to, signal), formats);
    },
    checkFiles(files) {
      const contents = new Map([...files].map(({ path, bytes }) => [path, bytes]));
      return reviewOf(undefined, snapshotOfFiles(contents, formats), formats);
    },
  };
}

function reviewOf(
  before: Snapshot | undefined,
  after: Snapshot,
  formats: ReviewerOptions["formats"],
): Review {
  const changes: ChangeSummary[] = [];
  const old: ReadonlyMap<JobKey, DesiredJob> = before?.desired.jobs ?? new Map();
  const { jobs, stalled, problems, broken } = after.desired;
  for (const [key, job] of jobs) {
    const was = old.get(key);
    if (!was) changes.push({ kind: "create", key, fields: [] });
    else if (was.fingerprint !== job.fingerprint) changes.push(...updateOf(was, job, formats));
  }
  for (const [key, job] of old)
    if (!jobs.has(key) && !stalled.has(key) && !broken.has(job.target))
      changes.push({ kind: "prune", key, fields: [] });
  return { problems: [...problems, ...turnedAside(before, after)], changes, jobs: jobs.size };
}

const KINDS = {
  file: "a file",
  symlink: "a symlink",
  submodule: "a submodule",
  lfs: "an LFS pointer",
} as const;

/** Job files that are something else now: what is not mirrored looks deleted, and was hardly meant to be. */
function turnedAside(before: Snapshot | undefined, after: Snapshot): Problem[] {
  return [...after.others].flatMap(([file, kind]): Problem[] => {
    if (!before?.files.get(file)?.jobs.length) return [];
    return [
      {
        file,
        reason: "InvalidSpec",
        message: `the job file is ${KINDS[kind]} now, which is not followed, so its job would be removed`,
        hint: "Make it a plain file; to remove the job, delete the file.",
      },
    ];
  });
}

function updateOf(was: DesiredJob, job: DesiredJob, formats: ReviewerOptions["formats"]): ChangeSummary[] {
  const fields = formats.get(job.target)?.compare(job.spec, was.spec, job.options.ignore) ?? [];
  return fields.length === 0 ? [] : [{ kind: "update", key: job.key, fields: fields.map(maskField) }];
}
