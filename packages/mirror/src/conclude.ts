import { type KvOp, OK, type Outcome, type RevisionMarker, stalled } from "@sluice/core";
import { scheduleAudit } from "./audit.ts";
import { historyAfter } from "./history.ts";
import type { MarkerState, Pass, Work, Written } from "./pass.ts";

/** Remembers and tells what a pass did, and ends it: well, or stalled while the branch's head is a refused revision. */
export function conclude(pass: Pass): Outcome {
  const { work, written, memory } = pass;
  if (work && written?.final) {
    remember(pass, work, written, written.final);
    tell(pass, work, written);
  }
  if (!pass.holding) return OK;
  return stalled("InvalidSpec", memory.refused?.message ?? "the revision was refused");
}

function remember(pass: Pass, work: Work, written: Written, final: readonly KvOp[]): void {
  const { memory } = pass;
  const { indexes } = work;
  for (const { path } of work.removals) indexes.delete(path);
  for (const [path, index] of written.indexes) {
    if (index === undefined) indexes.delete(path);
    else indexes.set(path, index);
  }
  const marker = { record: work.marker, index: written.index, value: written.markerValue };
  memory.known = { marker, commit: work.commit, indexes, history: historyAfter(pass, work, final) };
  if (work.whole) scheduleAudit(pass);
}

function tell(pass: Pass, work: Work, written: Written): void {
  const { memory } = pass;
  const { emit, clock } = pass.settings;
  if (work.repaired > 0) emit({ type: "mirror.repaired", keys: work.repaired });
  const before = (pass.marker as MarkerState).record;
  if (before?.state === "synced" && before.revision === work.marker.revision) return;
  const { retries } = memory;
  memory.told = true;
  memory.retries = 0;
  const created = work.puts.filter((put) => put.index === "0").length;
  emit({
    type: "mirror.synced",
    revision: work.marker.revision,
    previous: work.marker.previous,
    files: work.marker.files,
    created,
    updated: work.puts.length - created,
    deleted: work.removals.length,
    transactions: written.transactions,
    ms: clock.now() - pass.startedAt,
    ...lag(work, clock.now()),
    ...(retries > 0 ? { retries } : {}),
  });
}

function lag({ record }: Work, now: number): { lagMs?: number } {
  const commit = record?.commit;
  const lagMs = now - Date.parse(commit?.committedAt ?? commit?.at ?? "");
  return Number.isNaN(lagMs) ? {} : { lagMs };
}

/** Tells once a term that everything was found as it should be. */
export function tellChecked(pass: Pass, marker: RevisionMarker): void {
  const { memory, settings, startedAt } = pass;
  if (memory.told) return;
  memory.told = true;
  const { revision, files, at: since } = marker;
  settings.emit({ type: "mirror.checked", revision, files, since, ms: settings.clock.now() - startedAt });
}
