import { type Plan, type Problem, type Revision, runSteps, type TargetName } from "@sluice/core";
import { heldMessage } from "./left-alone/left-alone.ts";
import type { DeployerOptions } from "./options.ts";
import { heldSpecs, planAll } from "./planning.ts";
import type { RecordWriter } from "./records/record-writer.ts";
import { listLive } from "./steps/list-live.ts";
import { parseDesired } from "./steps/parse-desired.ts";
import { readRevision } from "./steps/read-revision.ts";
import { recall } from "./steps/recall.ts";
import { known, newPass, newTerm } from "./term.ts";
import { failureText } from "./text.ts";

/** What a deployer would do right now. */
export interface DryRun {
  /** Undefined where nothing has been mirrored yet. */
  readonly revision: Revision | undefined;
  readonly plan: Plan;
  readonly problems: readonly Problem[];
  /** Targets that could not be asked: nothing is known of their jobs. */
  readonly unknown: readonly { readonly target: TargetName; readonly message: string }[];
  /** Jobs the revision wants. */
  readonly jobs: number;
  /** Why there is no plan, where there is none. */
  readonly waiting: string | undefined;
}

export type DryRunOptions = Omit<DeployerOptions, "events" | "holder" | "lock">;

/** Reads what the deployer reads and plans as it plans, for every job; writes nothing, sends nothing, needs no lock. */
export async function dryRun(options: DryRunOptions, signal: AbortSignal): Promise<DryRun> {
  const events = { emit: () => undefined };
  const term = newTerm({ ...options, events, holder: "dry run" }, NOWHERE, signal);
  const pass = newPass(term);
  const end = await runSteps([recall, readRevision, parseDesired, listLive], pass, signal);
  const { tree } = term;
  if (end.kind !== "ok" || !tree) {
    const waiting = "message" in end ? end.message : "the revision is changing right now";
    return {
      revision: pass.seen?.marker.revision,
      plan: pass.plan,
      problems: [],
      unknown: [],
      jobs: 0,
      waiting,
    };
  }
  const plan = planAll(pass, heldSpecs(pass));
  const { statuses } = known(term.records, "records");
  const refused = plan.refused.map((one) => ({ ...one, message: heldMessage(one, statuses.get(one.key)) }));
  return {
    revision: tree.marker.revision,
    plan: { ...plan, refused },
    problems: tree.desired.problems,
    unknown: [...pass.unlisted].map(([target, error]) => ({ target, message: failureText(error) })),
    jobs: tree.desired.jobs.size,
    waiting: undefined,
  };
}

/** Takes every record and writes none. */
const NOWHERE: RecordWriter = {
  put: () => undefined,
  written: async () => undefined,
  flush: async () => undefined,
  prove: async () => undefined,
};
