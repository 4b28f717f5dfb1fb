import { AGAIN, type JobKey, OK, type Outcome, type RevisionMarker, stalled, wait } from "@sluice/core";
import { failDeployment } from "../deployment.ts";
import { readChanged } from "../desired/changed-read.ts";
import { sameSkipped } from "../desired/skipped.ts";
import { applyPatch, type Patch, type Tree } from "../desired/tree.ts";
import { readWhole } from "../desired/whole-read.ts";
import { noteAbsence } from "../gates/removal.ts";
import { known, type Pass, type Seen, type Term } from "../term.ts";
import { problemText } from "../text.ts";

const MIX_RETRY_MS = 1_000;

/**
 * Brings `term.tree` to the revision that was seen. Reading takes more than one moment, so the marker is read again after it:
 * where it moved, what was read may be a mix and is thrown away.
 */
export async function parseDesired(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { term } = pass;
  const seen = known(pass.seen, "revision");
  const { tree } = term;
  if (tree && isSame(tree.marker, seen.marker)) return OK;
  const patch = tree && (await readChanged(term, tree, seen.marker, signal));
  const read = patch ?? (await readWhole(term, seen.marker, signal));
  if (await markerMoved(term, seen, signal)) return AGAIN;
  if (tree && "oids" in read) {
    acceptPatch(term, tree, read);
    return OK;
  }
  if (!("kind" in read)) return AGAIN;
  if (read.kind === "tree") {
    acceptTree(term, read.tree);
    return OK;
  }
  if (read.kind === "mix")
    return wait(
      "Pending",
      `the files in the KV are not those of ${seen.marker.revision}; the mirror mends that`,
      MIX_RETRY_MS,
    );
  await failDeployment(pass, seen.marker.revision, read.problems);
  return stalled("InvalidSpec", read.problems.map(problemText).join("; "));
}

function isSame(one: RevisionMarker, other: RevisionMarker): boolean {
  return one.revision === other.revision && one.digest === other.digest && sameSkipped(one, other);
}

async function markerMoved(term: Term, seen: Seen, signal: AbortSignal): Promise<boolean> {
  const now = await term.options.kv.get(term.layout.revision, signal);
  return now?.modifyIndex !== seen.markerIndex;
}

/** From here on what changed is remembered in `dirty` or `whole`, however the pass ends. */
function acceptTree(term: Term, tree: Tree): void {
  term.tree = tree;
  for (const target of term.options.targets.keys()) term.whole.add(target);
  recount(term, tree);
}

function acceptPatch(term: Term, tree: Tree, patch: Patch): void {
  const { desired } = tree;
  const changed = applyPatch(tree, patch);
  for (const key of changed) term.dirty.add(key);
  if (tree.desired !== desired) recount(term, tree);
  else noteMoved(term, tree, changed);
}

function noteMoved(term: Term, tree: Tree, changed: ReadonlySet<JobKey>): void {
  const { census, records, absent } = term;
  const { inventory } = known(records, "records");
  for (const key of changed) {
    census.note(key);
    if (inventory.has(key) && !tree.jobs.has(key)) absent.add(key);
    else absent.delete(key);
    noteAbsence(term, key, absent.has(key));
  }
}

/** Where everything was resolved anew, everything that follows from it is as well. */
function recount(term: Term, { desired }: Tree): void {
  const { census, records, absent } = term;
  census.recount([...desired.jobs.keys(), ...desired.stalled.keys()]);
  absent.clear();
  for (const key of known(records, "records").inventory.keys()) {
    if (!desired.jobs.has(key) && !desired.stalled.has(key)) absent.add(key);
    noteAbsence(term, key, absent.has(key));
  }
}
