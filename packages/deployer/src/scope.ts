import { type JobId, type JobKey, splitJobKey, type TargetName } from "@sluice/core";
import { known, type Pass, type Term } from "./term.ts";

/** Decides which jobs this pass looks at, and takes over what schedulers hinted at. */
export function takeScope(pass: Pass): void {
  const { term } = pass;
  const records = known(term.records, "records");
  const { desired } = known(term.tree, "revision");
  const news = term.hints.take();
  for (const key of news.jobs) if (desired.jobs.has(key) || records.inventory.has(key)) term.dirty.add(key);
  for (const target of news.targets) term.whole.add(target);
  takeDue(term);
  for (const target of term.failing.keys()) term.whole.add(target);
  if (term.options.clock.now() >= term.wholeAt)
    for (const target of term.options.targets.keys()) term.whole.add(target);
  const scope = new Set<JobKey>([...term.dirty, ...records.unsettled]);
  if (term.whole.size > 0)
    for (const job of desired.jobs.values()) if (term.whole.has(job.target)) scope.add(job.key);
  for (const key of [...scope])
    for (const other of desired.jobs.get(key)?.options.dependsOn ?? []) scope.add(other);
  pass.scope = scope;
  pass.whole = new Set(term.whole);
}

function takeDue({ later, dirty, options }: Term): void {
  for (const [key, at] of later)
    if (at <= options.clock.now()) {
      later.delete(key);
      dirty.add(key);
    }
}

/** The ids to ask each target for: the jobs in scope, and whatever is in our inventory but not in Git any more. */
export function idsInScope(pass: Pass): Map<TargetName, Set<JobId>> {
  const { desired } = known(pass.term.tree, "revision");
  const { inventory } = known(pass.term.records, "records");
  const ids = new Map<TargetName, Set<JobId>>();
  function add(key: JobKey) {
    const { target, id } = splitJobKey(key);
    const known = ids.get(target);
    if (known) known.add(id);
    else ids.set(target, new Set([id]));
  }
  for (const key of pass.scope) if (desired.jobs.has(key)) add(key);
  for (const key of inventory.keys()) if (!desired.jobs.has(key) && !desired.stalled.has(key)) add(key);
  return ids;
}
