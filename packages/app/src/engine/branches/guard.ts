import { DEFAULT_PRUNE_LIMITS, type EnvName } from "@sluice/core";
import { branchEnvironment } from "./name.ts";
import type { BranchEntry } from "./registry.ts";

/** What decides which branches are mirrored, and when a vanished one's keys may go. */
export interface GuardRules {
  readonly environment: EnvName;
  matches(branch: string): boolean;
  /** False for a name that cannot be asked for. */
  usable(branch: string): boolean;
  readonly mostBranches: number;
  readonly graceMs: number;
  /** In how many listings in a row a branch must be missing. */
  readonly listings: number;
}

/** How long a branch has been missing, as one leader saw it with its own eyes. */
export interface Absence {
  /** Milliseconds since the epoch. */
  readonly firstAt: number;
  readonly listings: number;
}

/** By the name of the environment. */
export type Absences = ReadonlyMap<EnvName, Absence>;

export interface GuardInput {
  readonly entries: readonly BranchEntry[];
  /** Since the last listing that failed or was empty. */
  readonly absences: Absences;
  /** Every branch of the repository, and nothing but a whole list. */
  readonly listing: readonly string[];
  /** Environments whose removal a person asked for. */
  readonly confirmed: ReadonlySet<EnvName>;
  readonly now: number;
}

export interface Judgement {
  /** What the registry shall say; `removable` ones are still `absent` or `removing` in it. */
  readonly entries: readonly BranchEntry[];
  readonly absences: Absences;
  readonly removable: readonly BranchEntry[];
  /** They are due, and more than may go without being asked. */
  readonly tooMany: readonly BranchEntry[];
  /** Their branches are there, but no pattern names them any more. */
  readonly unnamed: readonly BranchEntry[];
  readonly leftOut: readonly { readonly branch: string; readonly why: string }[];
}

/** What a listing means for the environments of branches: a value, made without I/O and without a clock. */
export function judgeListing(input: GuardInput, rules: GuardRules): Judgement {
  const { listing } = input;
  const nothing = { removable: [], tooMany: [], unnamed: [], leftOut: [] };
  // A repository without any branch looks like one that was emptied by accident, or like another one.
  if (listing.length === 0) return { ...nothing, entries: input.entries, absences: new Map() };
  const there = new Set(listing);
  const entries = input.entries.map((entry) =>
    seen(entry, there.has(entry.branch) && rules.matches(entry.branch), input.now),
  );
  const absences = countAbsences(entries, input);
  const { added, leftOut } = newcomers(entries, input, rules);
  const missing = entries.filter((entry) => entry.state !== "present");
  const verdict = whatMayGo(missing, there, { ...input, entries, absences }, rules);
  return { entries: [...entries, ...added], absences, leftOut, ...verdict };
}

function seen(entry: BranchEntry, present: boolean, now: number): BranchEntry {
  const state = present ? "present" : "absent";
  if (present ? entry.state === "present" : entry.state !== "present")
    return entry.state === state ? entry : { ...entry, state };
  return { ...entry, state, since: new Date(now).toISOString() };
}

function countAbsences(entries: readonly BranchEntry[], { absences, now }: GuardInput): Absences {
  const missing = entries.filter(({ state }) => state !== "present");
  return new Map(
    missing.map(({ name }) => {
      const before = absences.get(name) ?? { firstAt: now, listings: 0 };
      return [name, { ...before, listings: before.listings + 1 }];
    }),
  );
}

function newcomers(
  entries: readonly BranchEntry[],
  { listing, now }: GuardInput,
  { environment, matches, usable, mostBranches }: GuardRules,
): { readonly added: readonly BranchEntry[]; readonly leftOut: Judgement["leftOut"] } {
  const known = new Set(entries.map(({ branch }) => branch));
  const holders = new Map(entries.map(({ name, branch }) => [name, branch]));
  const added: BranchEntry[] = [];
  const leftOut: { branch: string; why: string }[] = [];
  const since = new Date(now).toISOString();
  for (const branch of [...listing].sort()) {
    if (known.has(branch) || !matches(branch)) continue;
    const name = branchEnvironment(environment, branch);
    const holder = holders.get(name);
    if (!usable(branch)) leftOut.push({ branch, why: "its name is none that can be asked for" });
    else if (holder !== undefined)
      leftOut.push({ branch, why: `${name} is the environment of the branch ${holder}` });
    else if (holders.size >= mostBranches)
      leftOut.push({ branch, why: `there are ${mostBranches} already (source.mostBranches)` });
    else {
      holders.set(name, branch);
      added.push({ branch, name, state: "present", since });
    }
  }
  return { added, leftOut };
}

function whatMayGo(
  missing: readonly BranchEntry[],
  there: ReadonlySet<string>,
  { entries, absences, confirmed, now }: GuardInput,
  { graceMs, listings }: GuardRules,
): Pick<Judgement, "removable" | "tooMany" | "unnamed"> {
  const due = missing.filter(({ name }) => {
    const absence = absences.get(name);
    if (!absence || absence.listings < listings) return false;
    return confirmed.has(name) || now - absence.firstAt >= graceMs;
  });
  const asked = due.filter(({ name }) => confirmed.has(name));
  const unasked = due.filter(({ name }) => !confirmed.has(name));
  const unnamed = unasked.filter(({ branch }) => there.has(branch));
  const gone = unasked.filter(({ branch }) => !there.has(branch));
  // All that are missing count, due or not: branches that vanish within one grace time vanish at once.
  const atOnce = missing.filter(({ name, branch }) => !confirmed.has(name) && !there.has(branch)).length;
  const few = atOnce <= mostAtOnce(entries.length);
  return { removable: few ? [...asked, ...gone] : asked, tooMany: few ? [] : gone, unnamed };
}

/** How many environments of branches may go at once without a person's word, as with jobs. */
export function mostAtOnce(environments: number): number {
  const { maxJobs, maxShare } = DEFAULT_PRUNE_LIMITS;
  return Math.max(maxJobs, Math.floor(environments * maxShare));
}
