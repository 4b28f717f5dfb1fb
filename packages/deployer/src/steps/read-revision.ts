import { decodeRecord, OK, type Outcome, wait } from "@sluice/core";
import { readSuspension, readSyncToken } from "../controls.ts";
import { DEFAULT_DRIFT_INTERVAL_MS } from "../options.ts";
import type { Pass, Term } from "../term.ts";

/** Reads the marker and the controls in one go. Only a revision that is wholly there is acted on. */
export async function readRevision(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { term } = pass;
  const { layout, options } = term;
  const [sync, suspend] = [layout.control("sync"), layout.control("suspend")];
  const found = await options.kv.getMany([layout.revision, sync, suspend], signal);
  const suspension = readSuspension(found.get(suspend));
  noteControls(
    term,
    found.get(sync)?.modifyIndex,
    found.get(suspend)?.modifyIndex,
    readSyncToken(found.get(sync))?.retry,
  );
  const entry = found.get(layout.revision);
  const patience = options.driftIntervalMs ?? DEFAULT_DRIFT_INTERVAL_MS;
  if (!entry) return wait("Pending", "no revision has been mirrored yet", patience);
  const marker = decodeRecord("marker", entry);
  if (marker.state !== "synced")
    return wait("Pending", `${marker.revision} is still being written to the KV`, patience);
  pass.seen = { marker, markerIndex: entry.modifyIndex, sync: readSyncToken(found.get(sync)), suspension };
  return OK;
}

/** A new wish of a person makes everything due; the values found at the start of a term are old ones. */
function noteControls(
  term: Term,
  sync: string | undefined,
  suspend: string | undefined,
  retry: boolean | undefined,
): void {
  const [syncNow, suspendNow] = [sync ?? "", suspend ?? ""];
  const first = term.syncSeen === undefined;
  const asked = !first && term.syncSeen !== syncNow;
  if (asked || (!first && term.suspendSeen !== suspendNow))
    for (const target of term.options.targets.keys()) term.whole.add(target);
  if (asked) askSilentTargets(term);
  if (asked && retry) term.retry = true;
  term.syncSeen = syncNow;
  term.suspendSeen = suspendNow;
}

/** A person who asks is not made to wait for the time at which a silent target would have been asked again. */
function askSilentTargets({ failing }: Term): void {
  for (const [target, failed] of failing) failing.set(target, { ...failed, notBefore: 0 });
}
