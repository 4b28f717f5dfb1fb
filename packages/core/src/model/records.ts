import { messageOf, SluiceError } from "../errors.ts";
import type { KvEntry } from "../ports/kv.ts";
import type { InventoryEntry } from "./job.ts";
import { isJsonObject } from "./json.ts";
import type { ChangesRecord, RevisionMarker } from "./marker.ts";
import type { DeploymentStatus, JobStatus } from "./status.ts";

/** The records Sluice keeps in the KV as JSON, and the members without which one is no such record. */
interface Records {
  marker: RevisionMarker;
  changes: ChangesRecord;
  status: JobStatus;
  deployment: DeploymentStatus;
  inventory: InventoryEntry;
}

const REQUIRED: { [K in keyof Records]: readonly (keyof Records[K] & string)[] } = {
  marker: ["state", "revision", "files", "digest"],
  changes: ["revision", "commit"],
  status: ["key", "sync", "health", "reason", "since"],
  deployment: ["attempted", "state", "counts", "startedAt"],
  inventory: ["key", "file", "fingerprint", "revision"],
};

/** One line of JSON, as bytes. */
export function encodeRecord(record: Records[keyof Records]): Uint8Array {
  return Buffer.from(JSON.stringify(record));
}

/** @throws KV_RECORD_INVALID, naming the key, where the value is not such a record. */
export function decodeRecord<K extends keyof Records>(kind: K, entry: KvEntry): Records[K] {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(entry.value).toString("utf8"));
  } catch (cause) {
    throw new SluiceError("KV_RECORD_INVALID", `the KV key ${entry.key} holds no JSON: ${messageOf(cause)}`, {
      cause,
    });
  }
  const missing = isJsonObject(value)
    ? REQUIRED[kind].filter((name) => !(name in (value as object)))
    : ["everything"];
  if (missing.length > 0)
    throw new SluiceError(
      "KV_RECORD_INVALID",
      `the KV key ${entry.key} holds no ${kind} record: it lacks ${missing.join(", ")}`,
    );
  return value as unknown as Records[K];
}
