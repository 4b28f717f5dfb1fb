import { type EnvName, type JobKey, shortRevision } from "@sluice/core";
import { NOTICE_KINDS } from "../notice/kinds.ts";
import type { Fact } from "../notice/notice.ts";
import { about } from "./facts.ts";
import type { Heard } from "./hear.ts";
import type { Memory, Pending } from "./memory.ts";

/** While a deployment is under way its jobs' news wait for its end, but not longer than so many times the usual. */
const PATIENCE = 10;

const WORDS: { readonly [K in Pending["kind"]]: string } = {
  "job.failed": "failed",
  "job.rolled-back": "rolled back",
  "job.held": "held after a failure",
  "job.drifted": "changed outside Git",
  "job.prune-pending": "gone from Git, to be removed later",
  "job.adopted": "taken over",
  "job.recovered": "healthy again",
};

/** When the oldest of what waits is due; undefined: nothing waits. Milliseconds since the epoch. */
export function dueAt(memory: Memory, gatherMs: number): number | undefined {
  const dues = memory.pending.map((one) => one.since + gatherMs * (inDeployment(memory, one) ? PATIENCE : 1));
  return dues.length > 0 ? Math.min(...dues) : undefined;
}

/** Once the oldest news of jobs is due, all of it is told: one message for each kind and revision. */
export function gathered(memory: Memory, environment: EnvName, gatherMs: number, now: number): Heard {
  const due = dueAt(memory, gatherMs);
  if (due === undefined || due > now) return { memory, facts: [] };
  const groups = new Map<string, Pending[]>();
  for (const one of memory.pending) {
    const name = `${one.kind} ${one.revision ?? ""}`;
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  const at = new Date(now).toISOString();
  const facts = [...groups.values()].map((jobs) => factOfGroup(jobs, environment, at));
  return { memory: { ...memory, pending: [] }, facts: facts.sort(gravest) };
}

function inDeployment({ begun, ended }: Memory, { revision }: Pending): boolean {
  return revision !== undefined && begun === revision && !ended?.startsWith(`${revision} `);
}

function factOfGroup(group: readonly Pending[], environment: EnvName, at: string): Fact {
  const [first] = group as readonly [Pending, ...Pending[]];
  const { kind, revision, reason } = first;
  const single: JobKey | undefined = group.length === 1 ? first.key : undefined;
  const who = single ?? `${group.length} jobs`;
  const where = revision === undefined ? "" : ` at ${shortRevision(revision)}`;
  return {
    ...about({ environment, at }, kind, `${who} ${WORDS[kind]}${where}`),
    ...(revision === undefined ? {} : { revision }),
    ...(reason === undefined ? {} : { reason }),
    jobs: group.map(({ since: _, revision: __, ...job }) => job),
  };
}

const ORDER = { error: 0, warning: 1, info: 2 } as const;

function gravest(a: Fact, b: Fact): number {
  return ORDER[NOTICE_KINDS[a.kind]] - ORDER[NOTICE_KINDS[b.kind]];
}
