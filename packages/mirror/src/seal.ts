import { AGAIN, encodeRecord, OK, type Outcome, type RevisionMarker } from "@sluice/core";
import { commitFenced, indexAfter } from "./fenced-commit.ts";
import type { MarkerState, Pass } from "./pass.ts";

/**
 * Moves a marker that says `applying` before anything is looked at. A chunk that was given up may still be on its way to
 * Consul: it only counts while the marker is where it was, so from here on what the pass sees stays as it saw it.
 */
export async function seal(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const was = pass.marker as MarkerState;
  const { record } = was;
  if (record?.state !== "applying") return OK;
  const sealed: RevisionMarker = { ...record, at: laterThan(record.at, pass.settings.clock.now()) };
  const value = encodeRecord(sealed);
  const key = pass.settings.layout.revision;
  const index = await commitFenced(pass, [{ verb: "cas", key, value, index: was.index }], signal);
  if (index === undefined) return AGAIN;
  pass.marker = { record: sealed, index: indexAfter(was, value, index), value };
  return OK;
}

/** A value that is written again as it was moves no index. */
function laterThan(at: string, now: number): string {
  const before = Date.parse(at);
  return new Date(Number.isNaN(before) ? now : Math.max(now, before + 1)).toISOString();
}
