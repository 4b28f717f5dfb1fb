import { AGAIN, type JobKey, OK, type Outcome, stalled, wait } from "@sluice/core";
import { failDeployment } from "../deployment.ts";
import { readChanged } from "../desired/changed-read.ts";
import { readWhole } from "../desired/whole-read.ts";
import { known, type Pass, type Seen, type Term, type Tree } from "../term.ts";
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
  if (tree && tree.marker.revision === seen.marker.revision && tree.marker.digest === seen.marker.digest)
    return OK;
  const read =
    (tree && (await readChanged(term, tree, seen.marker, signal))) ??
    (await readWhole(term, seen.marker, signal));
  if (await markerMoved(term, seen, signal)) return AGAIN;
  if ("tree" in read) {
    accept(term, read.tree, read.changed);
    return OK;
  }
  if (read.kind === "mix")
    return wait(
      "Pending",
      `the files in the KV are not those of ${seen.marker.revision}; the mirror mends that`,
      MIX_RETRY_MS,
    );
  const message = read.problems.map(problemText).join("; ");
  await failDeployment(pass, seen.marker.revision, "InvalidSpec", message);
  return stalled("InvalidSpec", message);
}

async function markerMoved(term: Term, seen: Seen, signal: AbortSignal): Promise<boolean> {
  const now = await term.options.kv.get(term.layout.revision, signal);
  return now?.modifyIndex !== seen.markerIndex;
}

/** From here on the change is remembered in `dirty` and `whole`, however the pass ends. */
function accept(term: Term, tree: Tree, changed: "all" | ReadonlySet<JobKey>): void {
  term.tree = tree;
  if (changed === "all") for (const target of term.options.targets.keys()) term.whole.add(target);
  else for (const key of changed) term.dirty.add(key);
}
