import {
  AGAIN,
  type Clock,
  type Emit,
  type EnvName,
  isJsonObject,
  type Json,
  type Kv,
  type KvEntry,
  type KvFence,
  type KvLayout,
  type KvLockOptions,
  OK,
  type Outcome,
  wait,
} from "@sluice/core";
import { type Absences, type GuardRules, judgeListing } from "./guard.ts";
import { type BranchEntry, decodeRegistry, encodeRegistry } from "./registry.ts";
import { removeEnvironment, removeLocks } from "./remove.ts";
import { tellMoves, tellObstacles } from "./tell.ts";

/** What looks after the branches of one environment. */
export interface BranchKeeping {
  readonly rules: GuardRules;
  readonly registryKey: string;
  /** Of the environment of one branch. */
  layoutOf(branch: string): KvLayout;
  list(signal: AbortSignal): Promise<readonly string[]>;
  readonly kv: Kv;
  readonly clock: Clock;
  readonly emit: Emit;
  /** For the locks of the environments that are removed. */
  readonly lock: KvLockOptions;
}

/** What one leader knows by having seen it. */
export interface BranchMemory {
  absences: Absences;
  /** What was told and still holds, so that it is told once. */
  told: ReadonlySet<string>;
}

export function emptyBranchMemory(): BranchMemory {
  return { absences: new Map(), told: new Set() };
}

/** While a removal is asked for, or begun and not done, the branches are listed this often. */
const SOON_MS = 1_000;

/**
 * Looks at the branches once: who came is mirrored from now on, who went is counted, and what was mirrored of those that are
 * gone for long enough is removed. @throws as the listing and `Kv` do.
 */
export async function branchPass(
  keeping: BranchKeeping,
  memory: BranchMemory,
  fence: KvFence,
  signal: AbortSignal,
): Promise<Outcome> {
  const { rules, clock, list } = keeping;
  const { absences } = memory;
  // Of a pass that fails it is not known who was there: every count starts anew.
  memory.absences = new Map();
  const before = await readRegistry(keeping, signal);
  const listing = await list(signal);
  const confirmed = await confirmedRemovals(keeping, before.entries, signal);
  const input = { entries: before.entries, absences, listing, confirmed, now: clock.now() };
  const judgement = judgeListing(input, rules);
  memory.absences = judgement.absences;
  const managed = await managedAmong(keeping, judgement.removable, signal);
  const going = new Set(judgement.removable.filter((one) => !managed.includes(one)).map(({ name }) => name));
  const entries = judgement.entries.map((entry) =>
    going.has(entry.name) ? { ...entry, state: "removing" as const } : entry,
  );
  const index = await writeRegistry(keeping, { ...before, next: entries }, fence, signal);
  if (index === undefined) return AGAIN;
  tellMoves(keeping, before.entries, entries);
  memory.told = tellObstacles(keeping, memory.told, { ...judgement, managed });
  // Not those that a leader before this one had begun with: what this one has not counted itself, it does not remove.
  const removed = await removeAll(
    keeping,
    entries.filter(({ name }) => going.has(name)),
    signal,
  );
  if (removed.size > 0) {
    const left = entries.filter(({ name }) => !removed.has(name));
    const written = { entries, index, next: left };
    if ((await writeRegistry(keeping, written, fence, signal)) === undefined) return AGAIN;
  }
  const begun = entries.some(
    ({ name, state }) =>
      !removed.has(name) && (state === "removing" || (state === "absent" && confirmed.has(name))),
  );
  return begun ? wait("Pending", "a removal is under way", SOON_MS) : OK;
}

interface Registered {
  readonly entries: readonly BranchEntry[];
  readonly index: string;
}

async function readRegistry(
  { kv, registryKey, rules }: BranchKeeping,
  signal: AbortSignal,
): Promise<Registered> {
  const entry = await kv.get(registryKey, signal);
  return { entries: decodeRegistry(rules.environment, entry) ?? [], index: entry?.modifyIndex ?? "0" };
}

/** The ModifyIndex after it; undefined where another hand was faster. */
async function writeRegistry(
  { kv, registryKey }: BranchKeeping,
  { entries, index, next }: Registered & { readonly next: readonly BranchEntry[] },
  fence: KvFence,
  signal: AbortSignal,
): Promise<string | undefined> {
  const value = encodeRegistry(next);
  if (index !== "0" && Buffer.compare(encodeRegistry(entries), value) === 0) return index;
  const result = await kv.commit([{ verb: "cas", key: registryKey, value, index }], { fence }, signal);
  return result.applied ? result.index : undefined;
}

/** A person's word counts for the absence it was given for, not for a later one. */
async function confirmedRemovals(
  { kv, layoutOf }: BranchKeeping,
  entries: readonly BranchEntry[],
  signal: AbortSignal,
): Promise<ReadonlySet<EnvName>> {
  const missing = entries.filter(({ state }) => state !== "present");
  const keyOf = ({ branch }: BranchEntry) => layoutOf(branch).control("remove");
  const words = missing.length > 0 ? await kv.getMany(missing.map(keyOf), signal) : new Map();
  return new Set(
    missing.filter((one) => sinceIn(words.get(keyOf(one))) === one.since).map(({ name }) => name),
  );
}

function sinceIn(entry: KvEntry | undefined): unknown {
  if (!entry) return undefined;
  try {
    const value = JSON.parse(Buffer.from(entry.value).toString("utf8")) as Json;
    return isJsonObject(value) ? value.since : undefined;
  } catch {
    return undefined;
  }
}

/** Those where a deployer made jobs that are still known: removing their records would leave the jobs to nobody. */
async function managedAmong(
  { kv, layoutOf }: BranchKeeping,
  removable: readonly BranchEntry[],
  signal: AbortSignal,
): Promise<readonly BranchEntry[]> {
  const managed: BranchEntry[] = [];
  for (const entry of removable)
    if ((await kv.list(layoutOf(entry.branch).inventories, signal)).length > 0) managed.push(entry);
  return managed;
}

/** @returns the environments that are gone now; the others stay to be removed the next time. */
async function removeAll(
  keeping: BranchKeeping,
  going: readonly BranchEntry[],
  signal: AbortSignal,
): Promise<ReadonlySet<EnvName>> {
  const { kv, clock, lock, emit, layoutOf, list } = keeping;
  const removed = new Set<EnvName>();
  for (const { branch, name } of going) {
    const stillGone = async (until: AbortSignal) => {
      const now = await list(until);
      return now.length > 0 && !(now.includes(branch) && keeping.rules.matches(branch));
    };
    const layout = layoutOf(branch);
    const removal = await removeEnvironment({ kv, clock, layout, lock, stillGone }, signal);
    if (removal.kind !== "removed") continue;
    await removeLocks({ kv, layout });
    removed.add(name);
    emit({ type: "branches.removed", branch, name, keys: removal.keys });
  }
  return removed;
}
