import {
  type FilePath,
  type Health,
  isSluiceError,
  type JobKey,
  type JobStatus,
  type Problem,
  type SyncStatus,
  splitJobKey,
  type Verdict,
} from "@sluice/core";
import { keptFile } from "../gates/removal.ts";
import { known, type Pass } from "../term.ts";
import { failureText, problemText } from "../text.ts";
import { type Finding, leave } from "./leave.ts";
import { observeUnchanged } from "./unchanged.ts";

/** Settles every job in scope that this pass neither writes nor waits for, each with its reason. */
export function settleLeftAlone(pass: Pass): void {
  settleProblems(pass);
  settleUnlisted(pass);
  for (const verdict of pass.plan.refused) settleRefused(verdict, pass);
  for (const key of pass.plan.unchanged) observeUnchanged(key, pass);
  const records = known(pass.term.records, "records");
  for (const key of pass.plan.forgotten) records.forget(key);
  forgetOrphans(pass);
}

function settleProblems(pass: Pass): void {
  const { desired } = known(pass.term.tree, "revision");
  for (const [key, problem] of desired.stalled)
    leave(key, problem.file, problemFinding(key, problem, pass), pass);
  for (const [key, problem] of jobsOfBrokenFiles(pass))
    leave(key, problem.file, problemFinding(key, problem, pass), pass);
}

/** Jobs that a file held before it had a problem, or was no plain file: their ids are known from the inventory alone. */
function jobsOfBrokenFiles(pass: Pass): ReadonlyMap<JobKey, Problem> {
  pass.brokenJobs ??= findBroken(pass);
  return pass.brokenJobs;
}

function findBroken({ term }: Pass): Map<JobKey, Problem> {
  const { desired, files, marker } = known(term.tree, "revision");
  const found = new Map<JobKey, Problem>();
  const skips = Array.isArray(marker.skipped);
  if (desired.broken.size === 0 && !skips) return found;
  const kept = skips ? keptFile(marker) : () => undefined;
  const { inventory } = known(term.records, "records");
  for (const key of term.absent) {
    const entry = inventory.get(key);
    if (!entry || desired.jobs.has(key) || desired.stalled.has(key)) continue;
    const { file } = entry;
    const problem = files.get(file)?.problems[0] ?? skippedProblem(file, kept(entry));
    if (problem) found.set(key, problem);
  }
  return found;
}

function skippedProblem(file: FilePath, message: string | undefined): Problem | undefined {
  return message === undefined ? undefined : { file, reason: "InvalidSpec", message };
}

function problemFinding(key: JobKey, problem: Problem, pass: Pass): Finding {
  const message = problemText(problem);
  return { sync: "OutOfSync", health: lastHealth(key, pass), reason: problem.reason, message };
}

/** What a target that did not answer holds is not known; what is at rest there stays as it was last seen. */
function settleUnlisted(pass: Pass): void {
  const { dirty, records } = pass.term;
  const { desired } = known(pass.term.tree, "revision");
  const { statuses, unsettled } = known(records, "records");
  if (pass.unlisted.size === 0) return;
  for (const key of pass.scope) {
    const job = desired.jobs.get(key);
    if (!job || !pass.unlisted.has(job.target)) continue;
    if (statuses.has(key) && !dirty.has(key) && !unsettled.has(key)) continue;
    const error = pass.unlisted.get(job.target);
    const reason = isSluiceError(error, "SCHEDULER_DENIED") ? "Denied" : "Unreachable";
    leave(key, job.file, { sync: "Unknown", health: "Unknown", reason, message: failureText(error) }, pass);
  }
}

function settleRefused(verdict: Verdict, pass: Pass): void {
  const { key, reason } = verdict;
  const { desired } = known(pass.term.tree, "revision");
  const { statuses } = known(pass.term.records, "records");
  const job = desired.jobs.get(key);
  if (!job && jobsOfBrokenFiles(pass).has(key)) return;
  const old = statuses.get(key);
  const { target, id } = splitJobKey(key);
  const live = pass.live.get(target)?.jobs.get(id);
  const health = live?.observed.health ?? "Missing";
  // What the scheduler put back by itself goes on starting, and stays what runs until Git changes the spec.
  if (
    reason === "HeldAfterFailure" &&
    live &&
    old?.reason === "RolledBack" &&
    old.failed === job?.fingerprint
  ) {
    const message = live.observed.rolledBack ? live.observed.message : old.message;
    leave(key, job?.file, { sync: "OutOfSync", health, reason: "RolledBack", message }, pass);
    return;
  }
  // The reason it failed for says more than that it is held.
  if (reason === "HeldAfterFailure" && old?.failed && !pass.term.dirty.has(key)) return;
  const sync = reason === "Suspended" ? syncOfSuspended(key, pass) : "OutOfSync";
  const before = heldMessage(verdict, old);
  leave(key, job?.file ?? old?.file, { sync, health, reason, message: before }, pass);
}

/** What somebody else did to it meanwhile is not looked at; whether Git moved on is known. */
function syncOfSuspended(key: JobKey, { term }: Pass): SyncStatus {
  const records = known(term.records, "records");
  const job = known(term.tree, "revision").desired.jobs.get(key);
  if (job?.fingerprint !== records.inventory.get(key)?.fingerprint) return "OutOfSync";
  return records.statuses.get(key)?.sync ?? "Unknown";
}

/** What a job failed for says more than that it is held, or that an earlier spec runs. */
export function heldMessage({ reason, message }: Verdict, old: JobStatus | undefined): string {
  if (!old || (reason !== "HeldAfterFailure" && reason !== "RolledBack")) return message;
  return old.reason === reason ? old.message : `${message} (${old.message})`;
}

/** Statuses of jobs that neither Git nor the inventory knows any more. */
function forgetOrphans({ term, whole }: Pass): void {
  const { desired } = known(term.tree, "revision");
  const records = known(term.records, "records");
  const asked = whole.size > 0 ? records.statuses.keys() : term.dirty;
  for (const key of [...asked])
    if (!desired.jobs.has(key) && !desired.stalled.has(key) && !records.inventory.has(key))
      records.forget(key);
}

function lastHealth(key: JobKey, pass: Pass): Health {
  const { target, id } = splitJobKey(key);
  const live = pass.live.get(target)?.jobs.get(id);
  return live?.observed.health ?? known(pass.term.records, "records").statuses.get(key)?.health ?? "Unknown";
}
