import {
  decodeRecord,
  isSluiceError,
  type KvEntry,
  messageOf,
  OK,
  type Outcome,
  parseRevision,
  type Step,
  wait,
} from "@sluice/core";
import { claim, release } from "./claims.ts";
import { compareChanges } from "./compare-changes.ts";
import { compareWhole } from "./compare-whole.ts";
import { conclude } from "./conclude.ts";
import { problemsOf } from "./expand/refused-revision.ts";
import { foundInPlace } from "./in-place.ts";
import { loadBlobs } from "./load-blobs.ts";
import type { MarkerState, Pass } from "./pass.ts";
import { refuse, unsafePath } from "./refuse.ts";
import { seal } from "./seal.ts";
import { write } from "./write.ts";
import { mark } from "./write-large.ts";

/**
 * One pass of the mirror. It is level-triggered: whatever the KV holds, it is brought to the tree of the branch's newest
 * commit. A step that finds nothing to do leaves the pass as it is.
 */
export const STEPS: readonly Step<Pass>[] = [
  fetchHead,
  readMarker,
  seal,
  compare,
  loadBlobs,
  claim,
  write,
  mark,
  release,
  conclude,
];

async function fetchHead(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { source, intervalMs } = pass.settings;
  const head = await source.head(signal);
  if (head === undefined)
    return wait("Pending", `the branch "${source.branch}" does not exist; nothing is changed`, intervalMs);
  pass.target = head;
  pass.holding = pass.memory.refused?.commit === head;
  return OK;
}

async function readMarker(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { memory, settings } = pass;
  const { known } = memory;
  if (known && !pass.holding && pass.target !== known.commit && !auditIsDue(pass)) {
    // No need to ask: the transaction that moves the marker only counts if it is still there.
    pass.marker = known.marker;
    return OK;
  }
  pass.marker = markerIn(await settings.kv.get(settings.layout.revision, signal));
  if (known?.marker.index !== pass.marker.index) memory.known = undefined;
  if (!pass.holding) return OK;
  const { record } = pass.marker;
  if (!record) return conclude(pass);
  pass.target = parseRevision(record.revision).commit;
  return OK;
}

async function compare(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { known } = pass.memory;
  const whole = known === undefined || auditIsDue(pass);
  if (!whole && pass.target === known.commit) return OK;
  try {
    if (!whole && (await compareChanges(pass, known, signal))) return OK;
    if (await foundInPlace(pass, signal)) return OK;
    await compareWhole(pass, signal);
    return OK;
  } catch (error) {
    const problems = problemsOf(error);
    if (problems) return refuse(pass, problems, messageOf(error));
    if (isSluiceError(error, "PATH_UNSAFE")) return refuse(pass, [unsafePath(error.message)], error.message);
    // The revision before a refused one may be gone from the repository: then it stays as it is.
    if (pass.holding && isSluiceError(error, "GIT_OBJECT_MISSING")) return conclude(pass);
    throw error;
  }
}

function auditIsDue({ memory, settings }: Pass): boolean {
  return settings.clock.now() >= memory.auditAt;
}

function markerIn(entry: KvEntry | undefined): MarkerState {
  if (!entry) return { record: undefined, index: "0", value: new Uint8Array() };
  const { modifyIndex: index, value } = entry;
  try {
    const record = decodeRecord("marker", entry);
    parseRevision(record.revision);
    return { record, index, value };
  } catch {
    // Someone wrote over it. Nothing is known then, so everything is compared and the marker written anew.
    return { record: undefined, index, value };
  }
}
