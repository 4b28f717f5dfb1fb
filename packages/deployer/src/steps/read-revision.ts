import { decodeRecord, OK, type Outcome, wait } from "@sluice/core";
import { readPruneConsent, readSuspension, readSyncToken } from "../controls.ts";
import { DEFAULT_DRIFT_INTERVAL_MS } from "../options.ts";
import type { Pass, Term } from "../term.ts";

/** Reads the marker and the controls in one go. Only a revision that is wholly there is acted on. */
export async function readRevision(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { term } = pass;
  const { layout, options } = term;
  const keys = ["sync", "prune", "suspend"].map(layout.control);
  const found = await options.kv.getMany([layout.revision, ...keys], signal);
  const [syncEntry, agreedEntry, suspendEntry] = keys.map((key) => found.get(key));
  const suspension = readSuspension(suspendEntry);
  const sync = readSyncToken(syncEntry);
  const seen = [syncEntry, agreedEntry, suspendEntry].map((one) => one?.modifyIndex ?? "");
  noteControls(term, seen as [string, string, string], sync?.retry === true);
  const entry = found.get(layout.revision);
  const patience = options.driftIntervalMs ?? DEFAULT_DRIFT_INTERVAL_MS;
  if (!entry) return wait("Pending", "no revision has been mirrored yet", patience);
  const marker = decodeRecord("marker", entry);
  if (marker.state !== "synced")
    return wait("Pending", `${marker.revision} is still being written to the KV`, patience);
  const agreed = readPruneConsent(agreedEntry);
  pass.seen = { marker, markerIndex: entry.modifyIndex, sync, agreed, suspension };
  return OK;
}

/** A new wish of a person makes everything due; the values found at the start of a term are old ones. */
function noteControls(
  term: Term,
  [sync, agreed, suspend]: readonly [sync: string, agreed: string, suspend: string],
  retry: boolean,
): void {
  const first = term.syncSeen === undefined;
  const asked = !first && term.syncSeen !== sync;
  if (asked || (!first && (term.suspendSeen !== suspend || term.agreedSeen !== agreed)))
    for (const target of term.options.targets.keys()) term.whole.add(target);
  if (asked) askSilentTargets(term);
  if (asked && retry) term.retry = true;
  term.syncSeen = sync;
  term.agreedSeen = agreed;
  term.suspendSeen = suspend;
}

/** A person who asks is not made to wait for the time at which a silent target would have been asked again. */
function askSilentTargets({ failing }: Term): void {
  for (const [target, failed] of failing) failing.set(target, { ...failed, notBefore: 0 });
}
