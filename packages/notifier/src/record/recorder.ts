import {
  type Clock,
  type CommitNotes,
  decodeRecord,
  type Emit,
  type EventSink,
  emitterFor,
  isJsonObject,
  isSluiceError,
  type JobStatus,
  type Kv,
  type KvEntry,
  type KvFence,
  type KvLockOptions,
  leadWhileHeld,
  messageOf,
  OK,
  type Outcome,
  type Random,
  reconcileLoop,
} from "@sluice/core";
import { type NoticeLayout, noticeLayout } from "../layout.ts";
import { readLog } from "../logged.ts";
import type { Watched } from "../telling/look.ts";
import { type Ended, endIn, endOf, missing, withJobs } from "./outcomes.ts";

export interface RecorderOptions {
  readonly kv: Kv;
  readonly prefix: string;
  readonly environment: Watched;
  /** Opened for each term, closed with it. */
  readonly openNotes: () => Promise<CommitNotes>;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
  readonly lock: KvLockOptions;
  /** How long outcomes are gathered before they are written together, in milliseconds. */
  readonly batchMs: number;
  /** Time between two looks when nothing happens, in milliseconds; half a minute where absent. */
  readonly intervalMs?: number;
}

/** Notes beside each commit of one environment how its deployment ended, each end once. */
export interface Recorder {
  /** Stands by for the environment's lock and works while it is held, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

interface Work extends RecorderOptions {
  readonly layout: NoticeLayout;
  readonly fence: KvFence;
  readonly emit: Emit;
  readonly notes: CommitNotes;
}

const INTERVAL_MS = 30_000;
const BACKOFF = { firstMs: 1_000, mostMs: 5 * 60_000 };

export function recorder(options: RecorderOptions): Recorder {
  const { kv, environment, clock, random, lock } = options;
  const emit = emitterFor(environment.name, options.events, clock);
  const layout = noticeLayout(options.prefix);
  const key = layout.recorderLock(environment.name);
  let failing = false;
  const settle = (error: unknown) => {
    if (error !== undefined && !failing) {
      const code = isSluiceError(error) ? error.code : "INTERNAL";
      emit({ type: "record.failed", code, message: messageOf(error) });
    }
    if (error === undefined && failing) emit({ type: "record.recovered" });
    failing = error !== undefined;
  };
  return {
    run: (signal) =>
      leadWhileHeld(
        { kv, key, lock, role: "recorder", emit, clock, random, onFailure: settle },
        async (held, until) => {
          const notes = await options.openNotes();
          const work = { ...options, layout, fence: held.fence, emit, notes };
          await serve(work, settle, until).finally(() => notes.close());
        },
        signal,
      ),
  };
}

async function serve(work: Work, settle: (error: unknown) => void, signal: AbortSignal): Promise<void> {
  const { kv, environment, clock, random, intervalMs = INTERVAL_MS, batchMs } = work;
  const over = new AbortController();
  const end = () => over.abort(signal.reason);
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  const loop = reconcileLoop({
    pass: (until) => record(work, until),
    settled(result) {
      const error = result.kind === "failed" ? result.error : undefined;
      if (isSluiceError(error, "LOCK_LOST")) return over.abort(error);
      settle(error);
    },
    ...{ intervalMs, backoff: BACKOFF, clock, random },
  });
  const listen = async () => {
    // What comes together is written together.
    for await (const _ of kv.watch(environment.layout.deployment, { signal: over.signal })) {
      await clock.sleep(batchMs, over.signal);
      loop.wake();
    }
  };
  try {
    await Promise.all([loop.run(over.signal), listen()]);
  } finally {
    signal.removeEventListener("abort", end);
    over.abort();
  }
}

/** How far the outcomes are noted. */
interface Recorded {
  /** The last event of the deployer's log that was looked at. */
  readonly seq: number;
  /** State, revision and time of the record that was noted last. */
  readonly record: string;
}

/** Reads what ended since the last time, reads the notes, appends what they lack, and only then remembers how far it came. */
async function record(work: Work, signal: AbortSignal): Promise<Outcome> {
  const { kv, fence, notes, emit } = work;
  const { ends, next, remembered, index, key } = await newEnds(work, signal);
  if (JSON.stringify(next) === JSON.stringify(remembered)) return OK;
  if (ends.length > 0) {
    const commits = [...new Set(ends.map(({ commit }) => commit))];
    const texts = missing(await detailed(ends, work, signal), await notes.read(commits, signal));
    if (texts.length > 0) {
      await notes.append(texts, signal);
      emit({ type: "record.noted", commits, deployments: texts.length });
    }
  }
  const value = Buffer.from(JSON.stringify(next));
  await kv.commit([{ verb: "cas", key, value, index }], { fence }, signal);
  return OK;
}

async function newEnds({ kv, layout, environment }: Work, signal: AbortSignal) {
  const key = layout.recorded(environment.name);
  const { deployment, events } = environment.layout;
  const log = `${events}/deployer`;
  const found = await kv.getMany([key, deployment, log], signal);
  const remembered = recordedIn(found.get(key));
  const logged = readLog(found.get(log));
  const last = logged.at(-1)?.seq ?? 0;
  // A log that began anew is new as a whole.
  const from = remembered && remembered.seq <= last ? remembered.seq : 0;
  const entry = found.get(deployment);
  const status = entry && decodeRecord("deployment", entry);
  const standing = status && endIn(status, environment.name);
  const record = standing ? `${standing.commit} ${standing.note.state} ${standing.note.at}` : "";
  const ends = logged.flatMap(({ seq, event }) => (seq > from ? (endOf(event) ?? []) : []));
  if (standing && record !== remembered?.record && !ends.some((one) => isSame(one, standing)))
    ends.push(standing);
  const next: Recorded = { seq: last, record: record || (remembered?.record ?? "") };
  return { ends, next, remembered, key, index: found.get(key)?.modifyIndex ?? "0" };
}

function isSame(a: Ended, b: Ended): boolean {
  return a.commit === b.commit && a.note.state === b.note.state && a.note.at === b.note.at;
}

function recordedIn(entry: KvEntry | undefined): Recorded | undefined {
  try {
    const value = entry && JSON.parse(Buffer.from(entry.value).toString("utf8"));
    return isJsonObject(value) && typeof value.seq === "number" ? (value as unknown as Recorded) : undefined;
  } catch {
    return undefined;
  }
}

/** The jobs that went wrong are looked up only where something did. */
async function detailed(ends: readonly Ended[], { kv, environment }: Work, signal: AbortSignal) {
  const wrong = ends.some(({ note }) => note.state === "degraded" || note.state === "stalled");
  if (!wrong) return ends;
  const statuses = await kv.list(environment.layout.statuses, signal, statusIn);
  const readable = statuses.flatMap((one) => one ?? []);
  return ends.map((one) => withJobs(one, readable));
}

function statusIn(entry: KvEntry): JobStatus | undefined {
  try {
    return decodeRecord("status", entry);
  } catch {
    return undefined;
  }
}
