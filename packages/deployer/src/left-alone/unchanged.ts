import type { DesiredJob, InventoryEntry, JobKey, JobStatus, LiveJob } from "@sluice/core";
import { appliedResult, isWell } from "../observation.ts";
import { isFinished, isUnderWay, liveOf, waitMsOf } from "../rollout/node.ts";
import { elapsed, known, type Pass } from "../term.ts";
import { leave } from "./leave.ts";

/** Settles a job whose spec is as Git says, by how it does; one that is under way is left to the rollout. */
export function observeUnchanged(key: JobKey, pass: Pass): void {
  const job = known(pass.term.tree, "revision").desired.jobs.get(key);
  const live = job && liveOf(job, pass);
  if (!live) return;
  const entry = known(pass.term.records, "records").inventory.get(key);
  if (isWell(live.observed)) observeWell(job, live, entry, pass);
  else if (isUnderWay(job, pass)) noteFound(job, entry, pass);
  else observeUnwell(job, live, pass);
}

function observeWell(job: DesiredJob, live: LiveJob, entry: InventoryEntry | undefined, pass: Pass): void {
  const { term } = pass;
  const records = known(term.records, "records");
  const { revision } = known(term.tree, "revision").marker;
  const { prune } = job.options;
  const asRecorded =
    entry !== undefined &&
    isFinished(job, entry) &&
    entry.version === live.version &&
    entry.file === job.file &&
    entry.prune === prune;
  if (!asRecorded) {
    const { key, file, fingerprint } = job;
    const at = isFinished(job, entry) ? (entry?.revision ?? revision) : revision;
    records.record({ key, file, fingerprint, version: live.version, revision: at, prune });
  }
  const status = records.statuses.get(job.key);
  const asKnown =
    status?.reason === "Applied" && status.health === live.observed.health && status.file === job.file;
  if (!asKnown || !isFinished(job, entry))
    records.settle(appliedResult(job, revision, live.observed), elapsed(term));
}

/** A spec that is there although our record says otherwise: an engine died after it was sent. */
function noteFound(job: DesiredJob, entry: InventoryEntry | undefined, pass: Pass): void {
  const { key, file, fingerprint, options } = job;
  if (entry?.fingerprint === fingerprint) return;
  const { revision } = known(pass.term.tree, "revision").marker;
  known(pass.term.records, "records").record({
    key,
    file,
    fingerprint,
    version: undefined,
    revision,
    prune: options.prune,
  });
  leave(
    key,
    file,
    {
      sync: "Synced",
      health: "Progressing",
      reason: "Progressing",
      message: "the scheduler is starting the job",
    },
    pass,
  );
}

function observeUnwell(job: DesiredJob, live: LiveJob, pass: Pass): void {
  const status = known(pass.term.records, "records").statuses.get(job.key);
  // A spec that failed keeps the reason it failed for until it is well.
  if (status?.failed === job.fingerprint) return;
  const { health, message } = live.observed;
  const moving = (health === "Progressing" || health === "Unknown") && !live.observed.failed;
  const reason = moving && !isTired(job, status, pass) ? "Progressing" : "Unhealthy";
  leave(job.key, job.file, { sync: "Synced", health, reason, message }, pass);
}

/** True for a job that was healthy once and has been on its way back for longer than it may take. */
function isTired(job: DesiredJob, status: JobStatus | undefined, { term }: Pass): boolean {
  const patience = waitMsOf(job, term);
  if (status?.reason === "Unhealthy") return true;
  if (status?.reason !== "Progressing" || patience === 0) return false;
  return term.options.clock.now() - Date.parse(status.since) > patience;
}
