import { decodeRecord, isSluiceError, type Revision, SluiceError, type TargetName } from "@sluice/core";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Environment } from "../../engine/environment.ts";
import type { HttpContext } from "../context.ts";
import { findEnvironment } from "../find.ts";
import { type FollowFrom, followFrom } from "../follow.ts";
import { changeSuspension, checkScope, resuming, suspending } from "./suspension.ts";

/** What a request for a sync was turned into. */
export interface SyncView {
  /** The wish's name: a deployment's `syncedToken` is this once it is done. */
  readonly at: string;
  readonly retry: boolean;
  readonly prune: readonly string[];
  /** Where the event logs stood before it. */
  readonly from: FollowFrom;
}

const text = z.string().trim().min(1).max(500);
const scope = z.strictObject({
  target: text.optional(),
  job: text.optional(),
  all: z.boolean().optional(),
  why: text.optional(),
  by: text.default("somebody"),
});
const sync = z
  .object({ retry: z.boolean().default(false), outsideWindow: z.boolean().default(false) })
  .prefault({});
const prune = z.strictObject({ revision: text, targets: z.array(text).min(1) });

type Route = { Params: { name: string } };

/** What people ask of an environment besides commits: look now, leave alone, go on, yes to these removals. */
export function controlRoutes(app: FastifyInstance, context: HttpContext): void {
  const { environments, kv, clock } = context;
  const now = () => new Date(clock.now()).toISOString();

  app.post<Route>("/api/v1/environments/:name/sync", async ({ params, body }) => {
    const environment = findEnvironment(environments, params.name);
    const { retry, outsideWindow } = parsed(sync, body ?? {});
    // Windows are overridden for the revision that is there, and not for whatever comes next.
    const revision = outsideWindow ? await revisionOf(environment, context) : undefined;
    const wish = { at: now(), retry, prune: [], revision };
    return ask("sync", environment, context, outsideWindow ? { ...wish, override: true } : wish);
  });

  app.post<Route>("/api/v1/environments/:name/suspend", async ({ params, body }) => {
    const environment = findEnvironment(environments, params.name);
    const { by, why, ...what } = parsed(scope, body ?? {});
    await checkScope(kv, environment, what);
    const suspended = await changeSuspension(kv, environment, (old) =>
      suspending(old, what, { by, why, at: now() }),
    );
    return { suspended };
  });

  app.post<Route>("/api/v1/environments/:name/resume", async ({ params, body }) => {
    const environment = findEnvironment(environments, params.name);
    const what = parsed(scope, body ?? {});
    return { suspended: await changeSuspension(kv, environment, (old) => resuming(old, what)) };
  });

  app.post<Route>("/api/v1/environments/:name/prune", async ({ params, body }) => {
    const environment = findEnvironment(environments, params.name);
    const { revision, targets } = parsed(prune, body ?? {});
    for (const target of targets) await checkScope(kv, environment, { target });
    await refuseMoved(environment, context, revision);
    return ask("prune", environment, context, { at: now(), retry: false, prune: targets, revision });
  });
}

interface Wish {
  readonly at: string;
  readonly retry: boolean;
  readonly prune: readonly string[];
  readonly revision: string | undefined;
  /** Sync windows do not count for `revision`. */
  readonly override?: boolean;
}

async function revisionOf({ layout }: Environment, { kv }: HttpContext): Promise<Revision | undefined> {
  const entry = await kv.get(layout.revision);
  return entry && decodeRecord("marker", entry).revision;
}

/** A later sync takes back what an earlier one asked for, and a later word on removals an earlier one; neither the other. */
async function ask(
  key: "sync" | "prune",
  environment: Environment,
  { kv }: HttpContext,
  wish: Wish,
): Promise<SyncView> {
  const from = await followFrom(kv, environment);
  const token = {
    ...wish,
    prune: wish.prune as TargetName[],
    revision: wish.revision as Revision | undefined,
  };
  const value = Buffer.from(JSON.stringify(token));
  await kv.commit([{ verb: "set", key: environment.layout.control(key), value }]);
  return { at: wish.at, retry: wish.retry, prune: wish.prune, from };
}

/** What was agreed to is what was shown: the deployer heeds it for this revision only. */
async function refuseMoved(environment: Environment, context: HttpContext, revision: string): Promise<void> {
  const there = await revisionOf(environment, context);
  if (there === revision) return;
  throw new SluiceError(
    "REVISION_MOVED",
    `${environment.name} is at ${there ?? "no revision yet"}, no longer at ${revision}`,
  );
}

/** @throws USAGE naming every member that is wrong. */
export function parsed<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const found = schema.safeParse(body);
  if (found.success) return found.data;
  const problems = found.error.issues.map(
    ({ path, message }) => `${path.join(".") || "the body"}: ${message}`,
  );
  throw new SluiceError("USAGE", problems.join("; "));
}

/** Runs a read whose record a person may have spoiled; the problem is told beside what else is known. */
export function orProblem<T>(read: () => T): { readonly value?: T; readonly problem?: string } {
  try {
    return { value: read() };
  } catch (error) {
    if (isSluiceError(error, "KV_RECORD_INVALID")) return { problem: error.message };
    throw error;
  }
}

export { prune as pruneBody, scope as scopeBody, sync as syncBody };
