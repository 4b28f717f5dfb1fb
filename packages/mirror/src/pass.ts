import type {
  ChangesRecord,
  Clock,
  CommitId,
  Emit,
  FilePath,
  Kv,
  KvFence,
  KvLayout,
  KvOp,
  ObjectId,
  Random,
  RevisionMarker,
  Source,
} from "@sluice/core";
import type { SharedKeys } from "./claims.ts";
import type { ReadAhead } from "./read-ahead.ts";

/** What a mirror works with, defaults filled in. */
export interface Settings {
  readonly source: Source;
  readonly ahead: ReadAhead;
  readonly kv: Kv;
  readonly layout: KvLayout;
  /** Where the files' paths are keys among keys of others. */
  readonly shared: SharedKeys | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: Emit;
  readonly intervalMs: number;
  readonly auditIntervalMs: number;
  readonly maxFileBytes: number;
  readonly keepChanges: number;
}

/** The marker as it lies in the KV. */
export interface MarkerState {
  /** Undefined: there is none, or none that can be read. */
  readonly record: RevisionMarker | undefined;
  /** The marker's ModifyIndex; "0": there is no such key. */
  readonly index: string;
  readonly value: Uint8Array;
}

/** A whole revision that this leader saw or wrote itself. */
export interface Known {
  readonly marker: MarkerState & { readonly record: RevisionMarker };
  readonly commit: CommitId;
  /** The files' ModifyIndexes, as far as they are known. */
  readonly indexes: Map<FilePath, string>;
  /** Commits that have a record under `changes/`, newest first. */
  readonly history: readonly CommitId[];
}

/** What a leader remembers from pass to pass. All of it can be read again from Git and the KV. */
export interface Memory {
  /** Undefined while a write's fate is not known: then everything is compared. */
  known: Known | undefined;
  /** When everything is to be compared next, in milliseconds since the epoch. */
  auditAt: number;
  /** A revision that was refused, and why: the one before it stays. */
  refused: { readonly commit: CommitId; readonly message: string } | undefined;
  /** The revision whose skipped files were told. */
  skippedAt: CommitId | undefined;
  /** Of shared keys: those that are claimed, as the last comparison of everything left them. */
  claimed?: Set<FilePath>;
  /** True once this term has told which revision is there. */
  told: boolean;
  /** Passes since the last whole revision that failed or met another hand's write. */
  retries: number;
}

export function emptyMemory(): Memory {
  return { known: undefined, auditAt: 0, refused: undefined, skippedAt: undefined, told: false, retries: 0 };
}

export interface Put {
  readonly path: FilePath;
  readonly oid: ObjectId;
  /** The key's ModifyIndex; "0": it does not exist. */
  readonly index: string;
}

export interface Removal {
  readonly path: FilePath;
  readonly index: string;
}

/** What is to be done to the KV, decided before anything is written. */
export interface Work {
  readonly commit: CommitId;
  /** The marker as it shall be. */
  readonly marker: RevisionMarker;
  readonly puts: readonly Put[];
  readonly removals: readonly Removal[];
  /** The record to write under `changes/`; undefined: the one that is there stays. */
  readonly record: ChangesRecord | undefined;
  /** ModifyIndexes and history before the work. */
  readonly indexes: Map<FilePath, string>;
  readonly history: readonly CommitId[];
  /** Keys that were found changed by another hand. */
  readonly repaired: number;
  /** True where everything was compared. */
  readonly whole: boolean;
}

/** An operation on a file. */
export interface Addition {
  readonly path: FilePath;
  readonly op: KvOp;
}

/** What was written; `index` is the marker's ModifyIndex now. */
export interface Written {
  readonly index: string;
  readonly markerValue: Uint8Array;
  /** The operations that made the revision whole; undefined: it is not whole yet. */
  readonly final: readonly KvOp[] | undefined;
  /** What is left to be written together with `final`. */
  readonly rest: readonly Addition[];
  readonly transactions: number;
  /** ModifyIndexes of the files written so far; undefined: not known. */
  readonly indexes: Map<FilePath, string | undefined>;
}

/** One pass: each step reads what those before it found, and adds its own. */
export interface Pass {
  readonly settings: Settings;
  readonly memory: Memory;
  readonly fence: KvFence;
  readonly startedAt: number;
  /** The commit the KV shall show. */
  target?: CommitId;
  /** True while the branch's head is a refused revision, so that the target is the one before it. */
  holding?: boolean;
  marker?: MarkerState;
  /** Of shared keys, after a comparison of everything: those to claim, and those to let go of. */
  unclaimed?: readonly FilePath[];
  surplus?: readonly FilePath[];
  work?: Work;
  blobs?: ReadonlyMap<ObjectId, Uint8Array>;
  written?: Written;
}
