import {
  type DesiredJob,
  type InventoryEntry,
  isWell,
  type JobKey,
  type JobStatus,
  type LiveJob,
} from "@sluice/core";
import { appliedResult } from "../observation.ts";
import { entryOf, provenEntry } from "../records/entry.ts";
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
  if (!isRecorded(job, live, entry)) {
    const at = isFinished(job, entry) ? (entry?.revision ?? revision) : revision;
    records.record(provenEntry(entryOf(job, entry, { version: live.version, revision: at }), job));
  }
  const status = records.statuses.get(job.key);
  const asKnown =
    status?.reason === "Applied" &&
    status.health === live.observed.health &&
    status.file === job.file &&
    status.owner === job.options.owner;
  if (!asKnown || !isFinished(job, entry))
    records.settle(appliedResult(job, revision, live.observed), elapsed(term));
}

/** True where the inventory says of the job all that is to be said. */
function isRecorded(job: DesiredJob, live: LiveJob, entry: InventoryEntry | undefined): boolean {
  const { prune, onFailure } = job.options;
  if (!entry || !isFinished(job, entry)) return false;
  if (entry.version !== live.version || entry.file !== job.file || entry.prune !== prune) return false;
  return entry.lastHealthy === undefined
    ? onFailure !== "rollback"
    : onFailure === "rollback" && entry.lastHealthy.fingerprint === job.fingerprint;
}

/** A spec that is there although our record says otherwise: an engine died after it was sent. */
function noteFound(job: DesiredJob, entry: InventoryEntry | undefined, pass: Pass): void {
  const { key, file, fingerprint } = job;
  if (entry?.fingerprint === fingerprint) return;
  const { revision } = known(pass.term.tree, "revision").marker;
  known(pass.term.records, "records").record(entryOf(job, entry, { version: undefined, revision }));
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
