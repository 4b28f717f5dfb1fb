import type { FilePath, Health, JobKey, JobResult, Reason, SyncStatus } from "@sluice/core";
import { elapsed, known, type Pass } from "../term.ts";

/** A finding about a job that is not written to. */
export interface Finding {
  readonly sync: SyncStatus;
  readonly health: Health;
  readonly reason: Reason;
  readonly message: string;
}

/** Writes a finding, unless the job is known to be so and did not change itself: a new revision alone is no news of a job. */
export function leave(key: JobKey, file: FilePath | undefined, found: Finding, pass: Pass): void {
  const { term } = pass;
  const records = known(term.records, "records");
  const { revision } = known(term.tree, "revision").marker;
  const old = records.statuses.get(key);
  const settled =
    old && old.sync === found.sync && old.health === found.health && old.reason === found.reason;
  const again = settled && !term.dirty.has(key);
  const result: JobResult = {
    key,
    file,
    ...found,
    revision: again ? (old.attempted ?? revision) : revision,
    failed: old?.failed,
  };
  records.settle(result, elapsed(term));
}
