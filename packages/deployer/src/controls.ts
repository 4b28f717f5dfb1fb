import {
  isJsonObject,
  type JobKey,
  type Json,
  type KvEntry,
  type Revision,
  SluiceError,
  splitJobKey,
  type TargetName,
} from "@sluice/core";

/** What a person asked for with the key `control/sync`; every new value is a wish of its own. */
export interface SyncToken {
  /** ISO 8601. */
  readonly at: string;
  /** True: specs that failed are sent once more. */
  readonly retry: boolean;
  /** As in a `PruneConsent`: this is where it was kept before that had a key of its own, and it is still heeded here. */
  readonly prune: readonly TargetName[];
  readonly revision: Revision | undefined;
  /** True: what this revision wants may be changed outside the sync windows, for an hour. */
  readonly override: boolean;
}

/** A person's yes to removals, with the key `control/prune`, so that a sync asked for later does not take it back. */
export interface PruneConsent {
  /** ISO 8601. */
  readonly at: string;
  /** Targets where every removal of `revision` is agreed to, whatever limit and grace are. */
  readonly prune: readonly TargetName[];
  readonly revision: Revision | undefined;
}

/** Who suspended something, when, and what they said of it. */
export interface SuspensionNote {
  readonly by: string;
  readonly why: string | undefined;
  /** ISO 8601. */
  readonly at: string;
}

/** What a person suspended with the key `control/suspend`. */
export interface Suspension {
  readonly environment: boolean;
  readonly targets: ReadonlySet<TargetName>;
  readonly jobs: ReadonlySet<JobKey>;
  /** By target or job key; of the environment under the empty text. What was suspended by hand has none. */
  readonly notes: ReadonlyMap<string, SuspensionNote>;
}

/** A token that cannot be read wakes the engine and asks for nothing. */
export function readSyncToken(entry: KvEntry | undefined): SyncToken | undefined {
  const value = jsonOf(entry);
  if (!isJsonObject(value) || typeof value.at !== "string") return undefined;
  return {
    at: value.at,
    retry: value.retry === true,
    prune: textsOf(value.prune) as TargetName[],
    override: value.override === true,
    revision: typeof value.revision === "string" ? (value.revision as Revision) : undefined,
  };
}

/** A value that cannot be read agrees to nothing. */
export function readPruneConsent(entry: KvEntry | undefined): PruneConsent | undefined {
  const token = readSyncToken(entry);
  return token && { at: token.at, prune: token.prune, revision: token.revision };
}

/** @throws KV_RECORD_INVALID for a value that cannot be read: what is meant to be suspended is unknown then, so nothing may be done. */
export function readSuspension(entry: KvEntry | undefined): Suspension {
  const value = entry ? jsonOf(entry) : {};
  if (!isJsonObject(value))
    throw new SluiceError("KV_RECORD_INVALID", `the KV key ${entry?.key} holds no suspension record`);
  return {
    environment: value.environment === true,
    targets: new Set(textsOf(value.targets) as TargetName[]),
    jobs: new Set(textsOf(value.jobs) as JobKey[]),
    notes: notesIn(value.notes),
  };
}

/** The record as it is kept under the key. */
export function encodeSuspension({ environment, targets, jobs, notes }: Suspension): Uint8Array {
  const record = { environment, targets: [...targets], jobs: [...jobs], notes: Object.fromEntries(notes) };
  return Buffer.from(JSON.stringify(record));
}

export function isSuspended({ environment, targets, jobs }: Suspension, key: JobKey): boolean {
  return environment || jobs.has(key) || targets.has(splitJobKey(key).target);
}

function jsonOf(entry: KvEntry | undefined): Json | undefined {
  if (!entry) return undefined;
  try {
    return JSON.parse(Buffer.from(entry.value).toString("utf8")) as Json;
  } catch {
    return undefined;
  }
}

function notesIn(value: Json | undefined): Map<string, SuspensionNote> {
  const found = new Map<string, SuspensionNote>();
  for (const [what, note] of Object.entries(isJsonObject(value) ? value : {})) {
    if (!isJsonObject(note) || typeof note.by !== "string" || typeof note.at !== "string") continue;
    found.set(what, { by: note.by, why: typeof note.why === "string" ? note.why : undefined, at: note.at });
  }
  return found;
}

function textsOf(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}
