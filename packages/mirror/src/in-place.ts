import { type CommitId, revisionOf } from "@sluice/core";
import { mirrored } from "./compare-changes.ts";
import { markerOf, says } from "./compare-whole.ts";
import { tellChecked } from "./conclude.ts";
import { readHistory } from "./history.ts";
import type { MarkerState, Pass } from "./pass.ts";
import { tellSkipped } from "./skipped.ts";

/** Until everything is compared after a start that only looked at names, in milliseconds. */
const COMPARED_AFTER_MS = 60_000;

/**
 * What a term may begin with, instead of a comparison of everything: the marker says that the commit is there and whole, the
 * names are those of its files, and nothing was written since the marker was. That costs no value, however many there are.
 * A value that another hand wrote before the marker last moved does not show by it, so everything is compared soon after.
 * @returns false where it cannot be told from that.
 */
export async function foundInPlace(pass: Pass, signal: AbortSignal): Promise<boolean> {
  const { memory, settings } = pass;
  const { ahead, kv, layout, source, shared } = settings;
  const commit = pass.target as CommitId;
  const { record, ...marker } = pass.marker as MarkerState;
  if (memory.told || shared || record?.state !== "synced") return false;
  if (record.revision !== revisionOf(source.branch, commit)) return false;
  const [names, tree, history] = await Promise.all([
    kv.namesUnlessWritten(layout.files, marker.index, signal),
    ahead.tree(commit, signal),
    readHistory(pass, record, signal),
  ]);
  const files = mirrored(tree);
  if (names?.length !== files.length || !says(record, markerOf(pass, record.previous, tree, files)))
    return false;
  const there = new Set(names);
  if (!files.every(({ path }) => there.has(layout.file(path)))) return false;
  tellSkipped(pass, tree);
  memory.auditAt = settings.clock.now() + soonMs(pass);
  memory.known = { commit, indexes: new Map(), history, marker: { ...marker, record } };
  tellChecked(pass, record);
  return true;
}

/** Sooner than the others, and not with them. */
function soonMs({ settings }: Pass): number {
  const { auditIntervalMs, random } = settings;
  return Math.min(COMPARED_AFTER_MS, auditIntervalMs) * (0.5 + 0.5 * random());
}
