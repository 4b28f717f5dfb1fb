import { createHash } from "node:crypto";
import type { NoticeKind } from "../notice/kinds.ts";
import type { Fact } from "../notice/notice.ts";
import type { Memory } from "./memory.ts";

/** What makes a fact untrue again, so that it is news when it comes back. */
const OPPOSITES: { readonly [K in NoticeKind]?: NoticeKind } = {
  "job.failed": "job.recovered",
  "job.rolled-back": "job.recovered",
  "job.held": "job.recovered",
  "target.failed": "target.recovered",
  "router.failed": "router.recovered",
  "registrar.failed": "registrar.recovered",
  "engine.failed": "engine.recovered",
};
const MOST_REMEMBERED = 500;

/** Leaves out what was told within the window and still holds; remembers the rest. */
export function once(
  memory: Memory,
  facts: readonly Fact[],
  { windowMs, now }: { readonly windowMs: number; readonly now: number },
): { readonly memory: Memory; readonly facts: readonly Fact[] } {
  const told = new Map(Object.entries(memory.told).filter(([, at]) => now - at < windowMs));
  const news: Fact[] = [];
  for (const fact of facts) {
    const print = fingerprint(fact);
    // How a deployment ended is remembered beside this, so that each turn of it is told.
    const known = !fact.kind.startsWith("deployment.") && told.has(print);
    for (const [kind, over] of Object.entries(OPPOSITES)) if (over === fact.kind) forgetAll(told, kind);
    const opposite = OPPOSITES[fact.kind];
    if (opposite) forgetAll(told, opposite);
    if (known) continue;
    told.set(print, now);
    news.push(fact);
  }
  const newest = [...told].slice(-MOST_REMEMBERED);
  return { memory: { ...memory, told: Object.fromEntries(newest) }, facts: news };
}

function forgetAll(told: Map<string, number>, kind: string): void {
  for (const print of [...told.keys()]) if (print.startsWith(`${kind} `)) told.delete(print);
}

function fingerprint({ kind, title, message, target, commit, jobs }: Fact): string {
  const parts = [title, message, target ?? "", commit?.id ?? "", ...jobs.map(({ key }) => key).sort()];
  const hash = createHash("sha256").update(parts.join("\0")).digest("base64url").slice(0, 16);
  return `${kind} ${hash}`;
}
