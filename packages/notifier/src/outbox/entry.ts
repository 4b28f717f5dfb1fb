import { isJsonObject, type KvEntry } from "@sluice/core";
import type { Notice } from "../notice/notice.ts";

/** A notice that waits to be sent through one channel. Times are milliseconds since the epoch. */
export interface Waiting {
  readonly notice: Notice;
  readonly acceptedAt: number;
  readonly attempts: number;
  readonly nextAt: number;
}

/** A waiting notice with its place in the KV. */
export interface Kept extends Waiting {
  readonly key: string;
  readonly index: string;
}

/** Keys order as the notices were accepted. */
export function outboxKey(prefix: string, notice: Notice, at: number, place: number): string {
  return `${prefix}${String(at).padStart(15, "0")}-${String(place).padStart(6, "0")}-${notice.id}`;
}

export function encodeWaiting({ notice, acceptedAt, attempts, nextAt }: Waiting): Uint8Array {
  return Buffer.from(JSON.stringify({ notice, acceptedAt, attempts, nextAt }));
}

/** Undefined where the key holds something else. */
export function decodeWaiting({ key, value, modifyIndex }: KvEntry): Kept | undefined {
  try {
    const one = JSON.parse(Buffer.from(value).toString("utf8"));
    const whole = isJsonObject(one) && isJsonObject(one.notice) && typeof one.acceptedAt === "number";
    return whole ? { ...(one as unknown as Waiting), key, index: modifyIndex } : undefined;
  } catch {
    return undefined;
  }
}

/** What has to arrive in order: the messages of one deployment. */
export function threadOf({ notice: { id, environment, revision } }: Waiting): string {
  return revision === undefined ? id : `${environment} ${revision}`;
}
