import { type JobKey, type JobStatus, type Revision, type SluiceEvent, shortRevision } from "@sluice/core";
import { conditionOf, isFailure } from "../notice/condition.ts";
import type { Fact, NoticeJob } from "../notice/notice.ts";
import { about, factOf, plannedJobs } from "./facts.ts";
import type { Memory, Pending } from "./memory.ts";

/** What is remembered after an event, and what there is to tell because of it. */
export interface Heard {
  readonly memory: Memory;
  readonly facts: readonly Fact[];
}

/** One event further; no I/O, and no clock but the event's own. @param now milliseconds since the epoch. */
export function hear(memory: Memory, event: SluiceEvent, now: number): Heard {
  switch (event.type) {
    case "deployment.started":
      return begun(memory, event);
    case "deployment.planned":
      return silent({ ...memory, plan: plannedJobs(event) });
    case "deployment.superseded":
      return superseded(memory, event);
    case "deployment.finished":
      return ended(memory, event);
    case "job.changed":
      return silent(noteJob(memory, event.status, now));
    case "job.adopted": {
      const { key, revision, owner } = event;
      const message = event.from === "nobody" ? "it was made by other means" : "it was another engine's";
      const job: Pending = { key, kind: "job.adopted", revision, message, since: now, ...owned(owner) };
      return silent({ ...memory, pending: [...without(memory.pending, key), job] });
    }
    case "job.pruned":
      return silent(forget(memory, event.key));
    default: {
      const fact = factOf(event);
      return { memory, facts: fact ? [fact] : [] };
    }
  }
}

type EventOf<T extends SluiceEvent["type"]> = Extract<SluiceEvent, { type: T }>;

function silent(memory: Memory): Heard {
  return { memory, facts: [] };
}

function begun(memory: Memory, event: EventOf<"deployment.started">): Heard {
  const { revision } = event;
  if (memory.begun === revision) return silent(memory);
  const fact = about(event, "deployment.started", `deployment of ${shortRevision(revision)} started`);
  const { plan, ...rest } = memory;
  const kept = plan?.revision === revision ? { plan } : {};
  return { memory: { ...rest, ...kept, begun: revision }, facts: [{ ...fact, revision }] };
}

function superseded(memory: Memory, event: EventOf<"deployment.superseded">): Heard {
  const { revision, by } = event;
  const title = `${shortRevision(revision)} gave way to ${shortRevision(by)}`;
  return { memory, facts: [{ ...about(event, "deployment.superseded", title), revision }] };
}

/** One message for the deployment and for every job that went wrong in it. */
function ended(memory: Memory, event: EventOf<"deployment.finished">): Heard {
  const { revision, status, ms } = event;
  const outcome = `${revision} ${status.state}`;
  if (status.state === "progressing" || memory.ended === outcome) return silent(memory);
  const told = memory.pending.filter((one) => one.revision === revision);
  const next: Memory = {
    ...memory,
    begun: revision,
    ended: outcome,
    pending: memory.pending.filter((one) => one.revision !== revision),
  };
  const title = `${shortRevision(revision)} is ${status.state}`;
  const well = status.state === "healthy";
  const fact: Fact = {
    ...about(event, `deployment.${status.state}`, title),
    message: well ? "" : status.message,
    ...(well ? {} : { reason: status.reason }),
    revision,
    ms,
    jobs: jobsOf(memory, told, revision),
  };
  return { memory: next, facts: [fact] };
}

/** What went wrong, then what was changed; a job once. */
function jobsOf(memory: Memory, told: readonly Pending[], revision: Revision): readonly NoticeJob[] {
  const planned = memory.plan?.revision === revision ? memory.plan.jobs : [];
  const changes = new Map(planned.map((job) => [job.key, job]));
  const wrong = new Map<JobKey, NoticeJob>();
  for (const [key, kind] of Object.entries(memory.conditions))
    if (kind !== "well" && isFailure(kind)) wrong.set(key as JobKey, { key: key as JobKey, kind });
  for (const { since: _, revision: __, ...job } of told) wrong.set(job.key, job);
  return [
    ...[...wrong.values()].map((job) => ({ ...changes.get(job.key), ...job })),
    ...planned.filter(({ key }) => !wrong.has(key)),
  ];
}

function noteJob(memory: Memory, status: JobStatus, now: number): Memory {
  const { key } = status;
  const next = conditionOf(status);
  const before = memory.conditions[key] ?? "well";
  if (next === undefined || next === before) return memory;
  // A spec that is held after it failed is the same news.
  if (next === "job.held" && isFailure(before)) return memory;
  const waiting = memory.pending.find((one) => one.key === key);
  const others = without(memory.pending, key);
  const { [key]: _, ...rest } = memory.conditions;
  if (next === "well") {
    const news = isFailure(before) && !(waiting && isFailure(waiting.kind));
    const pending = news ? [...others, pendingOf("job.recovered", status, now)] : others;
    return { ...memory, conditions: rest, pending };
  }
  const conditions = { ...rest, [key]: next };
  // It recovered and failed again before anybody was told of the recovery.
  if (waiting?.kind === "job.recovered" && isFailure(next)) return { ...memory, conditions, pending: others };
  return { ...memory, conditions, pending: [...others, pendingOf(next, status, now)] };
}

function pendingOf(kind: Pending["kind"], status: JobStatus, since: number): Pending {
  const { key, reason, message, attempted, owner } = status;
  return {
    ...{ key, kind, reason, message, since },
    ...(attempted === undefined ? {} : { revision: attempted }),
    ...owned(owner),
  };
}

function owned(owner: string | undefined) {
  return owner === undefined ? {} : { owner };
}

function without(pending: readonly Pending[], key: JobKey): readonly Pending[] {
  return pending.filter((one) => one.key !== key);
}

function forget(memory: Memory, key: JobKey): Memory {
  const { [key]: _, ...conditions } = memory.conditions;
  return { ...memory, conditions, pending: without(memory.pending, key) };
}
