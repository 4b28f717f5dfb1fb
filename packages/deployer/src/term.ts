import {
  type DeploymentStatus,
  type Desired,
  type DesiredFile,
  type Emit,
  type FilePath,
  type JobKey,
  type KvLayout,
  type LiveListing,
  type ObjectId,
  type Plan,
  type Problem,
  type RevisionMarker,
  SluiceError,
  type TargetName,
} from "@sluice/core";
import type { Suspension, SyncToken } from "./controls.ts";
import type { Hints } from "./hints.ts";
import type { DeployerOptions } from "./options.ts";
import type { Policy } from "./policy/policy.ts";
import type { JobRecords } from "./records/job-records.ts";
import type { RecordWriter } from "./records/record-writer.ts";

/** A revision that was read whole, and what it wants. */
export interface Tree {
  readonly marker: RevisionMarker;
  /** Every file of the revision, so that the digest can be moved along with a change. */
  readonly oids: ReadonlyMap<FilePath, ObjectId>;
  /** The files that are jobs, parsed. */
  readonly files: ReadonlyMap<FilePath, DesiredFile>;
  readonly policy: Policy;
  /** Problems of `deploy.yaml`; `policy` is then the last good one. */
  readonly policyProblems: readonly Problem[];
  readonly desired: Desired;
}

/** One term of leadership: what is known stays known from pass to pass, and is dropped with the lock. */
export interface Term {
  readonly options: DeployerOptions;
  readonly layout: KvLayout;
  readonly emit: Emit;
  readonly writer: RecordWriter;
  readonly hints: Hints;
  /** Aborts when the lock is lost or the service stops. */
  readonly leading: AbortSignal;
  /** Undefined until the first pass has read what the KV remembers. */
  records: JobRecords | undefined;
  deployment: DeploymentStatus | undefined;
  tree: Tree | undefined;
  /** Jobs to look at, kept until a pass came to its end with them. */
  readonly dirty: Set<JobKey>;
  /** Targets to look at as a whole, likewise. */
  readonly whole: Set<TargetName>;
  /** When everything is looked at next, in milliseconds since the epoch. */
  wholeAt: number;
  /** How often in a row a job could not be brought to rest, for backoff. */
  readonly tries: Map<JobKey, number>;
  /** Targets whose list failed, and how often in a row. */
  readonly failing: Map<TargetName, number>;
  /** The sync token that was last seen, as its ModifyIndex. */
  syncSeen: string | undefined;
  suspendSeen: string | undefined;
  /** A person asked for failed specs to be sent again. */
  retry: boolean;
}

/** What one look at the KV's marker and controls said. */
export interface Seen {
  readonly marker: RevisionMarker;
  readonly markerIndex: string;
  readonly sync: SyncToken | undefined;
  readonly suspension: Suspension;
}

/** One pass through the steps; each step reads what those before it have filled in. */
export interface Pass {
  readonly term: Term;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  seen: Seen | undefined;
  /** The jobs this pass looks at. */
  scope: ReadonlySet<JobKey>;
  /** The targets it looks at as a whole. */
  whole: ReadonlySet<TargetName>;
  readonly live: Map<TargetName, LiveListing>;
  /** Why a target could not be listed. */
  readonly unlisted: Map<TargetName, unknown>;
  plan: Plan;
  /** Jobs the rollout stopped waiting for because there is other news. */
  readonly unfinished: Set<JobKey>;
}

export function newPass(term: Term): Pass {
  return {
    term,
    startedAt: term.options.clock.now(),
    seen: undefined,
    scope: new Set(),
    whole: new Set(),
    live: new Map(),
    unlisted: new Map(),
    plan: { changes: [], unchanged: [], refused: [], forgotten: [] },
    unfinished: new Set(),
  };
}

/** What an earlier step has filled in. */
export function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new SluiceError("INTERNAL", `no step has found out the ${what} yet`);
  return value;
}

/** Milliseconds since this deployment began, while it is under way: how long a job that settles now took. */
export function elapsed({ deployment, options }: Term): number | undefined {
  if (deployment?.state !== "progressing") return undefined;
  return Math.max(0, options.clock.now() - Date.parse(deployment.startedAt));
}
