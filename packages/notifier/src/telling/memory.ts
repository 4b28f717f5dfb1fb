import { isJsonObject, type JobKey, type KvEntry, type Revision } from "@sluice/core";
import type { Condition } from "../notice/condition.ts";
import type { NoticeJob } from "../notice/notice.ts";

/** A job's news that waits a moment for others of its kind. */
export interface Pending extends NoticeJob {
  readonly kind: Exclude<Condition, "well">;
  readonly revision?: Revision;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/**
 * What the notifier remembers of one place events come from, written in the same transaction as the messages they led to: a
 * restart neither loses nor repeats.
 */
export interface Memory {
  /** The last event that was heard, by log. */
  readonly heard: Readonly<Record<string, number>>;
  /** Jobs that are not well, as was told. */
  readonly conditions: Readonly<Record<JobKey, Condition>>;
  readonly pending: readonly Pending[];
  /** What the deployment that is under way changes. */
  readonly plan?: {
    readonly revision: Revision;
    readonly jobs: readonly NoticeJob[];
    readonly total: number;
  };
  /** The revision whose beginning was told, or would have been. */
  readonly begun?: Revision;
  /** The outcome that was told last: a deployment that ends twice the same is one. */
  readonly ended?: string;
  /** When a fact was told, by its fingerprint; milliseconds. */
  readonly told: Readonly<Record<string, number>>;
}

export const NOTHING_HEARD: Memory = { heard: {}, conditions: {}, pending: [], told: {} };

export function encodeMemory(memory: Memory): Uint8Array {
  return Buffer.from(JSON.stringify(memory));
}

/** Undefined where the key is absent or holds something else: then nothing is known of the past, and nothing told of it. */
export function decodeMemory(entry: KvEntry | undefined): Memory | undefined {
  if (!entry) return undefined;
  try {
    const value = JSON.parse(Buffer.from(entry.value).toString("utf8"));
    const whole = isJsonObject(value) && isJsonObject(value.heard) && Array.isArray(value.pending);
    return whole ? { ...NOTHING_HEARD, ...(value as object) } : undefined;
  } catch {
    return undefined;
  }
}
