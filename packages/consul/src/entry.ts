import { type KvEntry, SluiceError } from "@sluice/core";
import type { RawEntry } from "./raw-answers.ts";

/** An entry from Consul's JSON, with its value decoded. */
export function entryOf(raw: RawEntry): KvEntry {
  const { Value: value, Session: session } = raw;
  return {
    key: raw.Key,
    value: typeof value === "string" ? Buffer.from(value, "base64") : (value ?? new Uint8Array()),
    modifyIndex: indexOf(raw.ModifyIndex),
    ...(session ? { session } : {}),
  };
}

/** Consul's uint64 as text. The client parses it as a JavaScript number, which is exact below 2⁵³. */
export function indexOf(index: number): string {
  if (!Number.isSafeInteger(index))
    throw new SluiceError("KV_INVALID", `Consul's index ${index} is beyond what can be read exactly.`);
  return String(index);
}

/** The way back, for a transaction's JSON. */
export function indexNumber(index: string, key: string): number {
  const number = Number(index);
  if (!/^\d+$/.test(index) || !Number.isSafeInteger(number))
    throw new SluiceError("KV_INVALID", `"${index}" is not an index of the key "${key}".`);
  return number;
}
