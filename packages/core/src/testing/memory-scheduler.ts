import { type ErrorCode, SluiceError } from "../errors.ts";
import type { JobId } from "../model/ids.ts";
import type { LiveJob, Observation } from "../model/job.ts";
import { isJsonObject, type JsonObject } from "../model/json.ts";
import type { Scheduler } from "../ports/scheduler.ts";

/** A scheduler in memory that does as it is told. */
export interface MemoryScheduler extends Scheduler {
  /** Every write that was accepted, in order. */
  readonly writes: readonly {
    readonly kind: "apply" | "remove";
    readonly id: JobId;
    readonly spec?: JsonObject;
  }[];
  readonly jobs: ReadonlyMap<JobId, LiveJob>;
  /** Puts a job there by hand, with our mark or another or none. */
  put(id: string, spec: JsonObject, owner?: string): void;
  /** Takes a job away by hand, and wakes watchers. */
  drop(id: string): void;
  /** Says how a job does from now on, and wakes watchers. */
  observe(id: string, observed: Observation): void;
  /** Asked before every call: a code makes it throw. */
  fault: ((call: "list" | "apply" | "remove", id: JobId | undefined) => ErrorCode | undefined) | undefined;
  /** How a job does right after a write; Healthy unless told otherwise. */
  afterApply: (id: JobId, spec: JsonObject) => Observation;
}

const HEALTHY: Observation = { health: "Healthy", message: "running" };

export function memoryScheduler(): MemoryScheduler {
  const jobs = new Map<JobId, LiveJob>();
  const writes: { kind: "apply" | "remove"; id: JobId; spec?: JsonObject }[] = [];
  const watchers = new Set<(id: JobId) => void>();
  let version = 0;

  function check(call: "list" | "apply" | "remove", id?: JobId) {
    const code = scheduler.fault?.(call, id);
    if (code)
      throw new SluiceError(code, `the memory scheduler was told to fail ${call}${id ? ` of ${id}` : ""}`);
  }
  function store(id: JobId, spec: JsonObject, owner: string | undefined, observed: Observation) {
    version += 1;
    jobs.set(id, { id, spec, owner, version: String(version), observed });
    for (const notify of watchers) notify(id);
    return { version: String(version) };
  }

  const scheduler: MemoryScheduler = {
    writes,
    jobs,
    fault: undefined,
    afterApply: () => HEALTHY,
    put: (id, spec, owner) => void store(id as JobId, spec, owner, HEALTHY),
    drop(id) {
      jobs.delete(id as JobId);
      for (const notify of watchers) notify(id as JobId);
    },
    observe(id, observed) {
      const job = jobs.get(id as JobId);
      if (job) jobs.set(job.id, { ...job, observed });
      for (const notify of watchers) notify(id as JobId);
    },
    async list(query, signal) {
      signal?.throwIfAborted();
      check("list");
      if ("mark" in query) return [...jobs.values()].filter((job) => job.owner === query.mark);
      return [...new Set(query.ids)].flatMap((id) => jobs.get(id) ?? []);
    },
    async apply({ id, spec: wanted, mark, live, ignore, proof }, signal) {
      signal?.throwIfAborted();
      check("apply", id);
      if (live ? jobs.get(id)?.version !== live.version : jobs.has(id))
        throw new SluiceError("SCHEDULER_CONFLICT", `${id} is not what it was planned against`);
      const now = jobs.get(id)?.spec;
      await proof?.();
      const spec = now ? ignore.reduce((job, path) => keeping(job, now, path.split(".")), wanted) : wanted;
      writes.push({ kind: "apply", id, spec });
      return store(id, spec, mark, scheduler.afterApply(id, spec));
    },
    async remove({ id, mark, proof }, signal) {
      signal?.throwIfAborted();
      check("remove", id);
      const job = jobs.get(id);
      if (job && job.owner !== mark) throw new SluiceError("SCHEDULER_CONFLICT", `${id} is not ours`);
      await proof?.();
      writes.push({ kind: "remove", id });
      jobs.delete(id);
    },
    watch: (signal) => jobsSeen(watchers, signal),
  };
  return scheduler;
}

/** The spec with the live value at a path. */
function keeping(spec: JsonObject, live: JsonObject, [key = "", ...rest]: readonly string[]): JsonObject {
  const { [key]: wanted, ...others } = spec;
  const kept = live[key];
  if (rest.length === 0) return kept === undefined ? others : { ...spec, [key]: kept };
  return isJsonObject(wanted) && isJsonObject(kept) ? { ...spec, [key]: keeping(wanted, kept, rest) } : spec;
}

async function* jobsSeen(watchers: Set<(id: JobId) => void>, signal: AbortSignal): AsyncIterable<JobId> {
  const queue: JobId[] = [];
  let wake: () => void = () => undefined;
  const notify = (id: JobId) => {
    queue.push(id);
    wake();
  };
  const stop = () => wake();
  watchers.add(notify);
  signal.addEventListener("abort", stop, { once: true });
  try {
    while (!signal.aborted) {
      const id = queue.shift();
      if (id !== undefined) yield id;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    watchers.delete(notify);
    signal.removeEventListener("abort", stop);
  }
}
