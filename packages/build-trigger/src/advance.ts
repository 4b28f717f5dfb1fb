import { isSluiceError, messageOf } from "@sluice/core";
import type { CiServer, CiState } from "./ci/ci-server.ts";
import type { BuildEnd, BuildRecord } from "./record.ts";

export interface AdvanceContext {
  readonly ci: CiServer;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** How long a build may take from its request to its end, in milliseconds. */
  readonly timeoutMs: number;
  /** Writes the record; false: another hand wrote it first, so nothing more may be done with this one. */
  readonly save: (record: BuildRecord) => Promise<boolean>;
}

/**
 * Takes a build one step on: begins it, or asks how it does. That a CI is about to be asked is written down first, so that
 * after a crash or a lost answer it is looked for before it is asked again.
 * @throws CI_UNREACHABLE, CI_DENIED: the same step is tried again later.
 */
export async function advance(
  build: BuildRecord,
  context: AdvanceContext,
  signal: AbortSignal,
): Promise<BuildRecord> {
  if (context.now - Date.parse(build.requestedAt) > context.timeoutMs) {
    const message = `the CI did not end the build in time: ${build.message}`;
    return end(build, context, "lost", message);
  }
  try {
    return build.handle === undefined
      ? await begin(build, context, signal)
      : await noteState(build, await context.ci.follow(build.handle, build, signal), context);
  } catch (error) {
    if (!isSluiceError(error, "CI_REFUSED")) throw error;
    return end(build, context, build.handle === undefined ? "failed" : "lost", messageOf(error));
  }
}

async function begin(build: BuildRecord, context: AdvanceContext, signal: AbortSignal): Promise<BuildRecord> {
  const { ci, save } = context;
  const asked = build.attempts > 0;
  const found = asked ? await ci.find?.(build, signal) : undefined;
  const message = "the CI is asked to begin the build";
  const starting: BuildRecord = { ...build, state: "starting", message, attempts: build.attempts + 1 };
  if (!(await save(starting))) return build;
  const handle = found ?? (await ci.start(starting, signal));
  if (handle === undefined) return end(starting, context, "handed-over", "the CI took the build");
  const queued: BuildRecord = {
    ...starting,
    state: "queued",
    handle,
    message: "the build is in the CI's queue",
  };
  return (await save(queued)) ? queued : starting;
}

async function noteState(build: BuildRecord, state: CiState, context: AdvanceContext): Promise<BuildRecord> {
  if (state.kind === "done") {
    const { url } = state;
    return end({ ...build, ...(url ? { url } : {}) }, context, state.result, state.message);
  }
  const { handle } = state;
  const next: BuildRecord =
    state.kind === "queued"
      ? { ...build, handle, state: "queued", message: state.why }
      : { ...build, handle, state: "running", message: "the CI builds", url: state.url };
  const same = next.state === build.state && next.message === build.message && next.handle === build.handle;
  return same || (await context.save(next)) ? next : build;
}

async function end(
  build: BuildRecord,
  { save, now }: AdvanceContext,
  state: BuildEnd,
  message: string,
): Promise<BuildRecord> {
  const ended: BuildRecord = { ...build, state, message, finishedAt: new Date(now).toISOString() };
  return (await save(ended)) ? ended : build;
}
