import type { Change, ChangeCause } from "./change.ts";
import type { CommitId, EnvName, JobKey, Revision, TargetName } from "./ids.ts";
import type { FieldChange, Problem } from "./job.ts";
import type { Reason } from "./reason.ts";
import type { DeploymentStatus, JobStatus } from "./status.ts";

/** A change as it may be shown and stored: its values masked, its specs left out. */
export interface ChangeSummary {
  readonly kind: Change["kind"];
  readonly key: JobKey;
  readonly fields: readonly FieldChange[];
  /** Absent for a removal, and where only Git was looked at. */
  readonly cause?: ChangeCause;
}

interface BuildFacts {
  id: string;
  app: string;
  commit: CommitId;
  /** Full: `refs/heads/main`. */
  ref: string;
  message: string;
  /** Where a person looks at it. */
  url?: string;
}

interface EventBodies {
  "mirror.progress": { done: number; total: number; revision: Revision };
  "mirror.synced": {
    revision: Revision;
    previous: Revision | undefined;
    files?: number;
    created: number;
    updated: number;
    deleted: number;
    transactions: number;
    ms: number;
    /** From the commit to the marker that shows it, by the clocks of two machines. */
    lagMs?: number;
    /** Passes that failed or met another hand's write since the revision before. */
    retries?: number;
  };
  /** The first comparison of a term found everything in place; `since` is when the revision was mirrored. */
  "mirror.checked": { revision: Revision; files: number; since: string; ms: number };
  /** Nothing can be done for now; told once for each reason. */
  "mirror.waiting": { reason: Reason; message: string };
  /** A write was refused, because the lock is no longer ours. */
  "mirror.fenced": Record<never, never>;
  "mirror.refused": { revision: Revision; problems: readonly Problem[] };
  "mirror.skipped": { revision: Revision; files: readonly string[]; why: string };
  "mirror.repaired": { keys: number };
  "mirror.failed": { code: string; message: string };
  "mirror.recovered": Record<never, never>;
  /** The role's token may not do something the role can do without; the message names the rule. */
  "rule.missing": { role: string; code: string; message: string };
  /** A branch that matches the patterns is mirrored from now on, as the environment `name`. */
  "branches.appeared": { branch: string; name: EnvName };
  /** A branch is no longer there; what was mirrored of it stays for `graceMs` more, at the least. */
  "branches.vanished": { branch: string; name: EnvName; graceMs: number };
  "branches.returned": { branch: string; name: EnvName };
  /** What was mirrored of a vanished branch is gone. */
  "branches.removed": { branch: string; name: EnvName; keys: number };
  /** A branch matches the patterns and yet is not mirrored. */
  "branches.left-out": { branch: string; why: string };
  /** What was mirrored of vanished branches stays until a person helps; told once for each reason and set of branches. */
  "branches.kept": { names: readonly EnvName[]; reason: Reason; message: string };
  "branches.failed": { code: string; message: string };
  "branches.recovered": Record<never, never>;
  "leader.elected": { role: string; waitedMs?: number };
  "leader.lost": { role: string };
  "deployment.started": { revision: Revision };
  "deployment.planned": { revision: Revision; changes: readonly ChangeSummary[]; total: number };
  "deployment.finished": { revision: Revision; status: DeploymentStatus; ms: number };
  "deployment.superseded": { revision: Revision; by: Revision };
  "deployment.failed": { code: string; message: string };
  /** `revision` is the one that is worked on, also where an earlier spec was put back. */
  "job.applied": { key: JobKey; revision: Revision; kind: "create" | "update"; cause?: ChangeCause };
  /** A job that Sluice did not make is Sluice's from now on; told when the scheduler has taken the write. */
  "job.adopted": { key: JobKey; revision: Revision; from: "nobody" | "another engine"; owner?: string };
  "job.changed": { key: JobKey; status: JobStatus; previous: JobStatus | undefined; ms: number | undefined };
  "job.pruned": { key: JobKey; revision: Revision; owner?: string };
  "target.failed": { target: TargetName; code: string; message: string };
  "target.recovered": { target: TargetName };
  /** Versions are as people write them: `1.4.2`, `1.4.2@sha256:0123456789ab`. */
  "image.committed": {
    commit: CommitId;
    changes: readonly { image: string; from: string; to: string; places: number }[];
  };
  /** What was announced of an image, or a place that names it, cannot be used; the others go on. */
  "image.refused": { image: string; why: string };
  /** A version is newer than what Git says and yet left out, since a person went back from it. */
  "image.held": { image: string; version: string };
  /** `images` of `deploy.yaml` has problems; the images without one go on. */
  "images.invalid": { problems: readonly Problem[] };
  "images.waiting": { reason: Reason; message: string };
  "images.failed": { code: string; message: string };
  "images.recovered": Record<never, never>;
  "build.started": BuildFacts;
  /** `ms` since it was asked for. */
  "build.finished": BuildFacts & {
    state: "succeeded" | "failed" | "aborted" | "handed-over" | "lost";
    ms: number;
  };
  /** The CI does not take the app's builds for now; told once until it does. */
  "build.waiting": { app: string; id: string; code: string; message: string };
  /** Containers were brought to the catalog: how many services of each, on this machine. */
  /** The load balancer follows the catalog: by a reload, or without one. */
  "router.changed": { services: number; servers: number; reloaded: boolean; ms: number };
  /** A service, or an instance, is left out; told once while it is so. */
  "router.left-out": { message: string };
  /** So many servers of a service vanished at once that they are kept for now. */
  "router.held": { service: string; servers: number };
  /** The balancer refused a file; what it did before goes on. */
  "router.rolled-back": { message: string };
  "router.failed": { code: string; message: string };
  "router.recovered": Record<never, never>;
  "registrar.changed": { node: string; registered: number; deregistered: number; reported: number };
  /** A container's service is left out, told once while it is so. */
  "registrar.left-out": { node: string; message: string };
  "registrar.failed": { node: string; code: string; message: string };
  "registrar.recovered": { node: string };
  "builds.failed": { code: string; message: string };
  "builds.recovered": Record<never, never>;
  /** A webhook that was not taken; `times` counts those since it was told last. Never says what was sent. */
  "webhook.refused": { provider: string; why: string; times: number };
  /** A webhook was taken, but its environment's mirror cannot be told. */
  "webhook.failed": { code: string; message: string };
  /** A channel does not take messages for now; told once until it does. */
  "channel.failed": { channel: string; message: string };
  "channel.recovered": { channel: string };
  /** A message will not reach its channel: refused for good, not taken for too long, or one of too many that wait. */
  "notice.given-up": { channel: string; id: string; title: string; why: string; attempts: number };
  "notices.failed": { code: string; message: string };
  "notices.recovered": Record<never, never>;
  /** How deployments ended was written beside these commits. */
  "record.noted": { commits: readonly CommitId[]; deployments: number };
  "record.failed": { code: string; message: string };
  "record.recovered": Record<never, never>;
}

/** Stands in an event for "the engine, whatever the environment"; never the name of one. */
export const EVERY_ENVIRONMENT = "*" as EnvName;

export type EventType = keyof EventBodies;

/** What happened, to what, when. Emitted on a transition, never once a tick. */
export type SluiceEvent = {
  [T in EventType]: { readonly type: T; readonly environment: EnvName; readonly at: string } & Readonly<
    EventBodies[T]
  >;
}[EventType];

/** An event as its author knows it; the emitter adds environment and time. */
export type EventBody = { [T in EventType]: { readonly type: T } & Readonly<EventBodies[T]> }[EventType];
