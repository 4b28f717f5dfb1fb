import { deflateRawSync, inflateRawSync } from "node:zlib";
import {
  canonicalJson,
  type DesiredJob,
  fingerprintOf,
  type HealedRow,
  type HealthySpec,
  type InventoryEntry,
  isJsonObject,
  type Json,
  type JsonObject,
  type Revision,
} from "@sluice/core";

/** A spec whose packed form is longer is not kept to go back to: an inventory entry must stay a small record. */
const LONGEST_PACKED = 128 * 1024;

/** The entry of a job as it is sent or found now; what only earlier work knows of the job is carried along. */
export function entryOf(
  job: DesiredJob,
  old: InventoryEntry | undefined,
  now: {
    readonly version: string | undefined;
    readonly revision: Revision;
    readonly adopted?: boolean;
    readonly healed?: HealedRow | undefined;
  },
): InventoryEntry {
  const { key, file, fingerprint, options } = job;
  const { version, revision } = now;
  const adopted = now.adopted ? revision : old?.adopted;
  const healed = now.healed ?? old?.healed;
  const lastHealthy = options.onFailure === "rollback" ? old?.lastHealthy : undefined;
  return {
    key,
    file,
    fingerprint,
    version,
    revision,
    prune: options.prune,
    ...(adopted ? { adopted } : {}),
    ...(healed ? { healed } : {}),
    ...(lastHealthy ? { lastHealthy } : {}),
  };
}

/** The entry of a job that is well with this spec: it is what a job that asks for that goes back to. */
export function provenEntry(entry: InventoryEntry, job: DesiredJob): InventoryEntry {
  if (job.options.onFailure !== "rollback" || entry.lastHealthy?.fingerprint === job.fingerprint)
    return entry;
  const packed = deflateRawSync(canonicalJson(job.spec)).toString("base64");
  const { lastHealthy: _, ...rest } = entry;
  if (packed.length > LONGEST_PACKED) return rest;
  const { fingerprint } = job;
  return { ...rest, lastHealthy: { fingerprint, revision: entry.revision, packed } };
}

/** The spec that was kept; undefined where it cannot be read or is not the one that was kept. */
export function unpackSpec({ packed, fingerprint }: HealthySpec): JsonObject | undefined {
  try {
    const spec = JSON.parse(inflateRawSync(Buffer.from(packed, "base64")).toString("utf8")) as Json;
    return isJsonObject(spec) && fingerprintOf(spec) === fingerprint ? spec : undefined;
  } catch {
    return undefined;
  }
}
