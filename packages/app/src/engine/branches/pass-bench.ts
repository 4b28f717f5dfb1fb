import {
  emitterFor,
  envName,
  type KvFence,
  type KvLayout,
  kvLayout,
  type Outcome,
  systemClock,
} from "@sluice/core";
import { type MemoryKv, manualClock, memoryKv, recordingSink } from "@sluice/core/testing";
import { branchEnvironment } from "./name.ts";
import { type BranchKeeping, type BranchMemory, branchPass, emptyBranchMemory } from "./pass.ts";
import type { BranchEntry } from "./registry.ts";

export const MINUTE = 60_000;
export const RULES = {
  environment: envName("preview"),
  matches: (branch: string) => branch.startsWith("f"),
  usable: () => true,
  mostBranches: 100,
  graceMs: 10 * MINUTE,
  listings: 3,
};

/** What a repository says when it is asked for its branches; an error: nothing. */
export type Listing = readonly string[] | Error;

/** The keeper's passes against a KV in memory, and a mirror that writes at once what it should. */
export interface PassBench {
  readonly kv: MemoryKv;
  readonly clock: ReturnType<typeof manualClock>;
  readonly sink: ReturnType<typeof recordingSink>;
  readonly lastMemory: () => BranchMemory;
  layoutOf(branch: string): KvLayout;
  /** One pass; each time the branches are asked for in it, the next of the listings is the answer, the last again and again. */
  pass(...listings: Listing[]): Promise<Outcome>;
  /** As another process that leads now. */
  takeOver(): void;
  registry(): readonly BranchEntry[];
  /** Writes what a mirror and a deployer would have written for a branch by now. */
  mirror(branch: string): void;
  /** Says that the branch may go. */
  confirm(branch: string): void;
  /** Everything but locks and the registry. */
  keys(): readonly string[];
}

export async function passBench(): Promise<PassBench> {
  const kv = memoryKv({ operations: 4 });
  const clock = manualClock();
  const sink = recordingSink();
  const lock = { ttlMs: 10_000, lockDelayMs: 1_000, holder: "test" };
  const registryKey = "sluice/preview/branches";
  const held = await kv.lock("sluice/locks/preview/branches", lock, new AbortController().signal);
  const fence: KvFence = held.fence;
  const layoutOf = (branch: string) => kvLayout("sluice", branchEnvironment("preview", branch));
  const emit = emitterFor(RULES.environment, sink, clock);
  const shared = { rules: RULES, registryKey, layoutOf, kv, emit, lock };
  // The deadline of a lock must not move with the test's time.
  const time: BranchKeeping["clock"] = { now: clock.now, sleep: systemClock.sleep };
  let memory = emptyBranchMemory();

  const bench: PassBench = {
    kv,
    clock,
    sink,
    lastMemory: () => memory,
    layoutOf,
    async pass(...listings) {
      let asked = 0;
      const list = async () => {
        const answer = listings[Math.min(asked++, listings.length - 1)];
        if (!Array.isArray(answer)) throw answer;
        return answer as readonly string[];
      };
      return branchPass({ ...shared, clock: time, list }, memory, fence, new AbortController().signal);
    },
    takeOver() {
      memory = emptyBranchMemory();
    },
    registry() {
      const text = kv.dump(registryKey)[registryKey];
      return text === undefined ? [] : (JSON.parse(text) as { branches: BranchEntry[] }).branches;
    },
    mirror(branch) {
      const layout = layoutOf(branch);
      for (const key of ["a", "b/c", "d"]) kv.set(layout.files + key, branch);
      for (const key of ["1", "2"]) kv.set(layout.changes + key, branch);
      for (const key of [layout.revision, layout.deployment, `${layout.statuses}apps/web`])
        kv.set(key, branch);
      for (const key of ["mirror", "deployer"]) kv.set(`${layout.events}/${key}`, branch);
      for (const key of ["fetch", "sync"]) kv.set(layout.control(key), branch);
    },
    confirm(branch) {
      const entry = bench.registry().find((one) => one.branch === branch);
      if (entry) kv.set(layoutOf(branch).control("remove"), JSON.stringify({ since: entry.since }));
    },
    keys: () =>
      Object.keys(kv.dump()).filter((key) => !key.startsWith("sluice/locks/") && key !== registryKey),
  };
  return bench;
}
