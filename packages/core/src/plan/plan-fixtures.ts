import { fingerprintOf } from "../model/fingerprint.ts";
import { commitId, type JobId, type JobKey, revisionOf, splitJobKey, type TargetName } from "../model/ids.ts";
import {
  DEFAULT_JOB_OPTIONS,
  type DesiredJob,
  type InventoryEntry,
  type JobOptions,
  type LiveJob,
  type Problem,
} from "../model/job.ts";
import { type JsonObject, sameJson } from "../model/json.ts";
import { encodePath, type FilePath } from "../model/path.ts";
import type { DesiredFile } from "./desired.ts";
import type { LiveListing, PlanInput } from "./plan-input.ts";
import { DEFAULT_PRUNE_LIMITS } from "./prune-policy.ts";

/** The mark of the engine and environment the tests plan for. */
export const MARK = "engine/staging";
export const REVISION = revisionOf("main", commitId("1".repeat(40)));

/** A job as its file `<key>.yaml` wants it, on line 1. */
export function wanted(
  key: string,
  spec: JsonObject = { n: 1 },
  options: {
    readonly [K in keyof JobOptions]?: K extends "dependsOn" ? readonly string[] : JobOptions[K];
  } = {},
): DesiredJob {
  const { target, id } = splitJobKey(key as JobKey);
  return {
    key: key as JobKey,
    target,
    id,
    file: encodePath(`${key}.yaml`),
    line: 1,
    spec,
    fingerprint: fingerprintOf(spec),
    options: { ...DEFAULT_JOB_OPTIONS, ...options } as JobOptions,
  };
}

/** The files of a revision, each with one job. */
export function filesOf(...jobs: readonly DesiredJob[]): Map<FilePath, DesiredFile> {
  return new Map(jobs.map((job) => [job.file, { target: job.target, jobs: [job], problems: [] }]));
}

/** A file of which nothing could be read. */
export function unreadable(path: string): [FilePath, DesiredFile] {
  const file = encodePath(path);
  const problem: Problem = { file, line: 3, reason: "InvalidSpec", message: "it cannot be read" };
  return [file, { target: path.split("/")[0] as TargetName, jobs: [], problems: [problem] }];
}

/** A job as its scheduler has it: at version "v1" and healthy. */
export function running(id: string, spec: JsonObject = { n: 1 }, more: Partial<LiveJob> = {}): LiveJob {
  const observed = { health: "Healthy", message: "running" } as const;
  return { id: id as JobId, spec, owner: MARK, version: "v1", observed, ...more };
}

/** An answer that covers every id unless told otherwise. */
export function answer(jobs: readonly LiveJob[], covers: (id: JobId) => boolean = () => true): LiveListing {
  return { jobs: new Map(jobs.map((job) => [job.id, job])), covers };
}

/** The record of a job that was applied with this spec and seen healthy at version "v1". */
export function recorded(
  key: string,
  spec: JsonObject = { n: 1 },
  more: Partial<InventoryEntry> = {},
): InventoryEntry {
  return {
    key: key as JobKey,
    file: encodePath(`${key}.yaml`),
    fingerprint: fingerprintOf(spec),
    version: "v1",
    revision: REVISION,
    prune: "auto",
    ...more,
  };
}

/** What the tests take for granted: nothing held, nothing suspended, drift is healed, the usual limits, a whole round. */
export function given(
  input: Pick<PlanInput, "desired"> & {
    live: Readonly<Record<string, LiveListing>>;
    made?: readonly InventoryEntry[];
  } & Partial<Omit<PlanInput, "live">>,
): PlanInput {
  const { live, made = [], ...rest } = input;
  return {
    mark: MARK,
    live: new Map(Object.entries(live).map(([target, listing]) => [target as TargetName, listing])),
    inventory: new Map(made.map((entry) => [entry.key, entry])),
    scope: "all",
    held: new Map(),
    suspended: () => false,
    heal: () => true,
    compare: compareWhole,
    prune: { ...DEFAULT_PRUNE_LIMITS, confirmed: new Set() },
    ...rest,
  };
}

/** One difference, of the whole, unless both are the same. */
function compareWhole(_target: TargetName, desired: JsonObject, live: JsonObject) {
  return sameJson(desired, live) ? [] : [{ path: "spec", from: live, to: desired }];
}
