import { parseMilliseconds } from "../duration.ts";
import type { Wait } from "../watch/blocking.ts";
import { ConsulError } from "./answer.ts";

/** A request as handlers see it. */
export interface Request {
  method: string;
  /** What follows the route's path, decoded. */
  rest: string;
  query: URLSearchParams;
  /** The whole body, at most as long as the route allows. */
  body: Buffer;
  /** Aborted when the client goes away. */
  signal: AbortSignal;
}

/** Name of the one datacenter. */
export const DATACENTER = "dc1";

/** @throws ConsulError for a `dc` that is not ours, or consistency modes that exclude each other. */
export function checkCommonOptions({ query }: Request): void {
  const dc = query.get("dc");
  if (dc && dc !== DATACENTER) throw new ConsulError(500, "No path to datacenter");
  if (query.has("stale") && query.has("consistent")) {
    throw new ConsulError(400, "Cannot specify ?stale with ?consistent, conflicting semantics.");
  }
  const maxStale = query.get("max_stale");
  if (maxStale && parseMilliseconds(maxStale) === undefined) {
    throw new ConsulError(400, `Invalid max_stale value "${maxStale}"`);
  }
  if (query.has("filter")) throw new ConsulError(400, "The embedded Consul knows no ?filter");
}

/** @throws ConsulError (400) for a bad `wait` or `index`. */
export function waitOptions({ query }: Request): Wait {
  const wait = query.get("wait");
  const waitMs = wait ? parseMilliseconds(wait) : 0;
  if (waitMs === undefined) throw new ConsulError(400, "Invalid wait time");
  const index = query.get("index");
  if (index && !/^\d+$/.test(index)) throw new ConsulError(400, "Invalid index");
  return { index: Number(index || 0), waitMs: Math.max(0, waitMs) };
}

/** @throws ConsulError (500), in the words of Go, when the option is no unsigned 64-bit number. */
export function unsigned(query: URLSearchParams, name: string): bigint {
  const text = query.get(name) ?? "";
  if (!/^\d+$/.test(text)) {
    throw new ConsulError(500, `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const value = BigInt(text);
  if (value !== BigInt.asUintN(64, value)) {
    throw new ConsulError(500, `strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`);
  }
  return value;
}
