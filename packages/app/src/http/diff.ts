import {
  type ChangeSummary,
  decodeRecord,
  maskField,
  type Problem,
  type Revision,
  type Verdict,
} from "@sluice/core";
import { dryRun, summaryOf } from "@sluice/deployer";
import type { Environment } from "../engine/environment.ts";
import { deployerTargets } from "../engine/targets.ts";
import type { HttpContext } from "./context.ts";

/** What the newest mirrored revision and the schedulers disagree about. Values that may be secret are masked. */
export interface DiffView {
  readonly revision: Revision | undefined;
  readonly jobs: number;
  readonly changes: readonly ChangeSummary[];
  readonly refused: readonly Verdict[];
  readonly problems: readonly Problem[];
  readonly unknown: readonly { readonly target: string; readonly message: string }[];
  readonly waiting: string | undefined;
}

export async function diffOf(
  environment: Environment,
  context: HttpContext,
  signal: AbortSignal,
): Promise<DiffView> {
  const { kv, clock, random, config } = context;
  if (!environment.deploys) return mirroredOnly(environment, context, signal);
  const targets = deployerTargets(environment);
  const options = {
    environment: environment.name,
    mark: environment.mark,
    kv,
    prefix: config.prefix,
    targets,
    clock,
    random,
  };
  const { revision, jobs, plan, problems, unknown, waiting } = await dryRun(options, signal);
  const changes = plan.changes.map(summaryOf);
  const refused = plan.refused.map(({ fields, ...verdict }) => ({
    ...verdict,
    ...(fields ? { fields: fields.map(maskField) } : {}),
  }));
  return { revision, jobs, changes, refused, problems, unknown, waiting };
}

/** Where nothing is deployed, there is nothing a scheduler could disagree about. */
async function mirroredOnly(
  { layout }: Environment,
  { kv }: HttpContext,
  signal: AbortSignal,
): Promise<DiffView> {
  const marker = await kv.get(layout.revision, signal);
  const revision = marker ? decodeRecord("marker", marker).revision : undefined;
  return { revision, jobs: 0, changes: [], refused: [], problems: [], unknown: [], waiting: undefined };
}
