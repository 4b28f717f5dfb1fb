import {
  backoffMs,
  type Emit,
  isSluiceError,
  type KvEntry,
  type KvLock,
  messageOf,
  OK,
  type Outcome,
  wait,
} from "@sluice/core";
import { advance } from "./advance.ts";
import type { BuildTriggerOptions } from "./build-trigger.ts";
import { type BuildLayout, type BuildRecord, decodeBuild, encodeBuild, isFinished } from "./record.ts";

export interface Work extends BuildTriggerOptions {
  readonly emit: Emit;
  readonly layout: BuildLayout;
  readonly fence: KvLock["fence"];
  /** When a CI that did not answer is asked next, and how often it failed, by app. */
  readonly pauses: Map<string, { readonly until: number; readonly failures: number }>;
}

const REMEMBERED = 50;
const AT_ONCE = 4;
export const BACKOFF = { firstMs: 1_000, mostMs: 60_000 };

/** One look at every build that is not done. */
export async function lookAtBuilds(work: Work, signal: AbortSignal): Promise<Outcome> {
  const { kv, layout, apps, clock } = work;
  let next = Number.POSITIVE_INFINITY;
  for (const app of apps.keys()) {
    const entries = await kv.list(layout.app(app), signal);
    const builds = entries.flatMap((entry) => readable(entry, work) ?? []);
    work.looked?.(
      app,
      builds.map(({ build }) => build),
    );
    const open = builds.filter(({ build }) => !isFinished(build));
    for (let from = 0; from < open.length && !isPaused(app, work); from += AT_ONCE) {
      const few = open.slice(from, from + AT_ONCE);
      const dues = await Promise.all(few.map((one) => takeOn(app, one, work, signal)));
      next = Math.min(next, ...dues);
    }
    if (isPaused(app, work)) next = Math.min(next, (work.pauses.get(app)?.until ?? 0) - clock.now());
    await forgetOldest(builds, work, signal);
  }
  return next === Number.POSITIVE_INFINITY
    ? OK
    : wait("Progressing", "builds are under way", Math.max(next, 50));
}

interface Kept {
  readonly entry: KvEntry;
  readonly build: BuildRecord;
}

function isPaused(app: string, { pauses, clock }: Work): boolean {
  return (pauses.get(app)?.until ?? 0) > clock.now();
}

/** @returns in how many milliseconds the build is to be looked at again. */
async function takeOn(app: string, { entry, build }: Kept, work: Work, signal: AbortSignal): Promise<number> {
  const target = work.apps.get(app);
  if (!target) return Number.POSITIVE_INFINITY;
  let index = entry.modifyIndex;
  const context = {
    ...target,
    now: work.clock.now(),
    async save(record: BuildRecord) {
      const op = { verb: "cas", key: entry.key, value: encodeBuild(record), index } as const;
      const done = await work.kv.commit([op], { fence: work.fence }, signal);
      if (done.applied) index = done.index;
      return done.applied;
    },
  };
  try {
    const after = await advance(build, context, signal);
    work.pauses.delete(app);
    tellTransition(build, after, work);
    return isFinished(after) ? Number.POSITIVE_INFINITY : pauseOf(after, work.clock.now());
  } catch (error) {
    if (!isSluiceError(error, "CI_UNREACHABLE", "CI_DENIED")) throw error;
    return pause(app, build, error, work);
  }
}

/** A CI that does not answer is asked ever less often, whatever number of builds wait for it. */
function pause(app: string, build: BuildRecord, error: Error & { code: string }, work: Work): number {
  const { pauses, clock, random, emit } = work;
  const failures = pauses.get(app)?.failures ?? 0;
  const ms = backoffMs(failures, BACKOFF, random);
  pauses.set(app, { until: clock.now() + ms, failures: failures + 1 });
  if (failures === 0)
    emit({ type: "build.waiting", app, id: build.id, code: error.code, message: error.message });
  return ms;
}

/** Young builds are asked about every second, old ones every ten. */
function pauseOf({ requestedAt, state }: BuildRecord, now: number): number {
  if (state === "requested" || state === "starting") return 50;
  return Math.min(10_000, Math.max(1_000, (now - Date.parse(requestedAt)) / 10));
}

function tellTransition(before: BuildRecord, after: BuildRecord, { emit, clock }: Work): void {
  if (before.state === after.state) return;
  const { id, app, commit, ref, message, url } = after;
  const about = { id, app, commit, ref, message, ...(url ? { url } : {}) };
  if (isFinished(after)) {
    const ms = clock.now() - Date.parse(after.requestedAt);
    emit({ type: "build.finished", ...about, state: after.state, ms });
  } else if (before.state === "requested") emit({ type: "build.started", ...about });
}

async function forgetOldest(builds: readonly Kept[], work: Work, signal: AbortSignal): Promise<void> {
  const ended = builds.filter(({ build }) => isFinished(build));
  const newestFirst = ended.sort((a, b) => (a.build.requestedAt < b.build.requestedAt ? 1 : -1));
  const old = newestFirst.slice(work.remembered ?? REMEMBERED).slice(0, 32);
  if (old.length === 0) return;
  const ops = old.map(
    ({ entry }) => ({ verb: "delete-cas", key: entry.key, index: entry.modifyIndex }) as const,
  );
  await work.kv.commit(ops, { fence: work.fence }, signal);
}

/** A record that cannot be read is left where it is, and stops nothing else. */
function readable(entry: KvEntry, { emit, pauses }: Work): Kept | undefined {
  try {
    return { entry, build: decodeBuild(entry) };
  } catch (error) {
    if (!pauses.has(entry.key))
      emit({ type: "builds.failed", code: "KV_RECORD_INVALID", message: messageOf(error) });
    pauses.set(entry.key, { until: 0, failures: 0 });
    return undefined;
  }
}
