import {
  type DeploymentStatus,
  type Emit,
  emitterFor,
  type JobKey,
  type KvLayout,
  kvLayout,
  type LiveListing,
  type Plan,
  type Problem,
  type RevisionMarker,
  SluiceError,
  type TargetName,
} from "@sluice/core";
import type { PruneConsent, Suspension, SyncToken } from "./controls.ts";
import type { Tree } from "./desired/tree.ts";
import { type Hints, hintBoard } from "./hints.ts";
import type { DeployerOptions } from "./options.ts";
import { type Census, census } from "./records/census.ts";
import type { JobRecords } from "./records/job-records.ts";
import type { RecordWriter } from "./records/record-writer.ts";

/** One term of leadership: what is known stays known from pass to pass, and is dropped with the lock. */
export interface Term {
  readonly options: DeployerOptions;
  readonly layout: KvLayout;
  readonly emit: Emit;
  readonly writer: RecordWriter;
  readonly hints: Hints;
  /** How the jobs of `tree` do. */
  readonly census: Census;
  /** Aborts when the lock is lost or the service stops. */
  readonly leading: AbortSignal;
  /** Undefined until the first pass has read what the KV remembers. */
  records: JobRecords | undefined;
  deployment: DeploymentStatus | undefined;
  tree: Tree | undefined;
  /** Jobs that were in the inventory and not in Git when that was last looked at; those that left the inventory since may be among them. */
  readonly absent: Set<JobKey>;
  /** Jobs to look at, kept until a pass came to its end with them. */
  readonly dirty: Set<JobKey>;
  /** Targets to look at as a whole, likewise. */
  readonly whole: Set<TargetName>;
  /** When everything is looked at next, in milliseconds since the epoch. */
  wholeAt: number;
  /** How often in a row a job could not be brought to rest, for backoff. */
  readonly tries: Map<JobKey, number>;
  /** Jobs to look at again at a time of their own, in milliseconds since the epoch. */
  readonly later: Map<JobKey, number>;
  /** Targets whose last list failed. */
  readonly failing: Map<TargetName, Failing>;
  /** The sync token that was last seen, as its ModifyIndex. */
  syncSeen: string | undefined;
  /** Likewise of the newest word on removals. */
  agreedSeen: string | undefined;
  suspendSeen: string | undefined;
  /** A person asked for failed specs to be sent again. */
  retry: boolean;
}

/** A target that does not answer. Times in milliseconds since the epoch. */
export interface Failing {
  /** How often in a row. */
  readonly times: number;
  readonly since: number;
  /** When it is asked again. */
  readonly notBefore: number;
  readonly error: unknown;
}

/** A term at its beginning: nothing is known, and everything is due. @param leading aborts with the leadership. */
export function newTerm(options: DeployerOptions, writer: RecordWriter, leading: AbortSignal): Term {
  const term: Term = {
    options,
    layout: kvLayout(options.prefix, options.environment),
    emit: emitterFor(options.environment, options.events, options.clock),
    writer,
    hints: hintBoard(),
    census: census({
      wanted: (key) => term.tree?.desired.jobs.has(key) || term.tree?.desired.stalled.has(key) || false,
      status: (key) => term.records?.statuses.get(key),
    }),
    leading,
    records: undefined,
    deployment: undefined,
    tree: undefined,
    absent: new Set(),
    dirty: new Set(),
    whole: new Set(options.targets.keys()),
    wholeAt: 0,
    tries: new Map(),
    later: new Map(),
    failing: new Map(),
    syncSeen: undefined,
    agreedSeen: undefined,
    suspendSeen: undefined,
    retry: false,
  };
  return term;
}

/** What one look at the KV's marker and controls said. */
export interface Seen {
  readonly marker: RevisionMarker;
  readonly markerIndex: string;
  readonly sync: SyncToken | undefined;
  /** The removals a person agreed to. */
  readonly agreed: PruneConsent | undefined;
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
  /** Jobs whose file cannot be read, once somebody asked for them. */
  brokenJobs: ReadonlyMap<JobKey, Problem> | undefined;
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
    brokenJobs: undefined,
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
