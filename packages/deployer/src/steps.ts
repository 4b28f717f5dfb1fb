import { type Outcome, runSteps, type Step } from "@sluice/core";
import { conclude } from "./steps/conclude.ts";
import { listLive } from "./steps/list-live.ts";
import { makePlan } from "./steps/make-plan.ts";
import { parseDesired } from "./steps/parse-desired.ts";
import { pruneRemoved } from "./steps/prune-removed.ts";
import { readRevision } from "./steps/read-revision.ts";
import { recall } from "./steps/recall.ts";
import { rollOut } from "./steps/roll-out.ts";
import { newPass, type Pass, type Term } from "./term.ts";

/**
 * What the deployer does, from a revision in the KV to healthy jobs. Each step ends the pass where it cannot go on; whatever
 * woke the pass, it decides anew from what is there, so a pass that was cut short anywhere is finished by the next one.
 */
const STEPS: readonly Step<Pass>[] = [
  /** What the KV remembers of earlier work: read once a term. */
  recall,
  /** Which revision is there, and what people asked for. */
  readRevision,
  /** What that revision wants: only changed files are read, unless something does not add up. */
  parseDesired,
  /** What the schedulers have: only the jobs in question, unless everything is due. */
  listLive,
  /** What to do about the difference: core decides, statuses of what is left alone are settled. */
  makePlan,
  /** Creates and updates, in the order of their dependencies, each until healthy. */
  rollOut,
  /** Removals, once the replacements are healthy. */
  pruneRemoved,
  /** How the deployment stands, and when to look again. */
  conclude,
];

export function runPass(term: Term, signal: AbortSignal): Promise<Outcome> {
  return runSteps(STEPS, newPass(term), signal);
}
