import type {
  Clock,
  CommitId,
  Committer,
  Emit,
  FileEdit,
  Kv,
  KvEntry,
  KvFence,
  KvLayout,
  Random,
  Source,
} from "@sluice/core";
import type { Announced } from "./announcement.ts";
import type { Mark, Version } from "./decide.ts";
import type { Target } from "./edit/edit-places.ts";
import type { Marks } from "./marks.ts";
import type { ImageChange } from "./message.ts";
import type { ImagePolicies } from "./policy/parse-policies.ts";
import type { Scan } from "./scan.ts";

/** How long announcements are collected before they become a commit, in milliseconds. */
export interface Pace {
  /** Nothing new must have come for this long, */
  readonly quietMs: number;
  /** unless the first one has waited for this long. */
  readonly maxDelayMs: number;
  /** Between two commits; doubled while there is always something new, up to the most. */
  readonly pauseMs: number;
  readonly mostPauseMs: number;
}

/** What the updater works with, defaults filled in. */
export interface Settings {
  readonly source: Source;
  readonly committer: Committer;
  readonly kv: Kv;
  readonly layout: KvLayout;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: Emit;
  readonly intervalMs: number;
  readonly pace: Pace;
  readonly looked: ((announced: number) => void) | undefined;
}

/** What a leader remembers from pass to pass. All of it can be read again from Git and the KV. */
export interface Memory {
  scan: Scan | undefined;
  /** `deploy.yaml` as it was read last, by its object id; "": there is none. */
  policies: { readonly oid: string; readonly read: ImagePolicies } | undefined;
  /** What was told and still holds, so that it is told once. */
  told: ReadonlySet<string>;
  /** What is to be committed, as text, with when it came to be and when it changed last. */
  wanted: { readonly text: string; readonly since: number; readonly changed: number } | undefined;
  lastCommitAt: number;
  pauseMs: number;
  /** Commits lost in a row to somebody else's push. */
  races: number;
  /** After a commit that was not taken: whatever wakes the updater, the next is not tried earlier. */
  notBefore: number;
}

export function emptyMemory(pace: Pace): Memory {
  return {
    scan: undefined,
    policies: undefined,
    told: new Set(),
    wanted: undefined,
    lastCommitAt: Number.NEGATIVE_INFINITY,
    pauseMs: pace.pauseMs,
    races: 0,
    notBefore: 0,
  };
}

/** What is announced of one image, under any of its spellings. */
export interface Heard {
  readonly all: readonly Announced[];
}

/** One pass. What is optional is filled in by the step of its name. */
export interface Pass {
  readonly settings: Settings;
  readonly memory: Memory;
  readonly fence: KvFence;
  /** Sentences that hold in this pass; what was not told yet becomes an event. */
  readonly telling: Map<string, () => void>;
  head?: CommitId;
  /** By canonical name. */
  heard?: ReadonlyMap<string, Heard>;
  entries?: readonly KvEntry[];
  /** The record as it lies in the KV, and what it means now. */
  record?: { readonly index: string; readonly written: Marks; marks: Record<string, Mark> };
  policies?: ImagePolicies;
  scan?: Scan;
  /** By canonical name. */
  targets?: ReadonlyMap<
    string,
    Target & { readonly mark: Mark | undefined; readonly announced: Announced | undefined }
  >;
  draft?: {
    readonly edits: readonly FileEdit[];
    readonly changes: readonly ImageChange[];
    readonly marks: Record<string, Mark>;
  };
}

/** A step relies on what an earlier one filled in. */
export function filled<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a step was left out");
  return value;
}

export type { Mark, Version };
