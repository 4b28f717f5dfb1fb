import type { Clock, EventSink, Kv, Random } from "@sluice/core";
import type { Config } from "../config/schema.ts";
import type { PatternedEnvironment } from "../engine/branches/patterned.ts";
import type { Closers } from "../engine/closers.ts";
import type { Environment } from "../engine/environment.ts";
import type { EventStream } from "../engine/event-stream.ts";
import type { Metrics } from "../engine/metrics.ts";
import type { Readiness } from "../engine/readiness.ts";
import type { FetchRequests } from "./webhooks/fetch-requests.ts";

/** What the HTTP server is given. */
export interface HttpOptions {
  readonly config: Config;
  /** Changes in place where branches come and go, so it is read anew for each request. */
  readonly environments: readonly Environment[];
  /** Environments of several branches. */
  readonly patterned: readonly PatternedEnvironment[];
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  readonly stream: EventStream;
  /** Takes what the server itself has to tell. */
  readonly events: EventSink;
  /** The hosted deploy repo, if there is one. */
  readonly hosted: string | undefined;
  readonly closing: Closers;
  /** Told each route as it is added. */
  readonly onRoute?: (method: string, path: string) => void;
}

/** What the routes work with; `signal` aborts when the server stops. */
export interface HttpContext extends HttpOptions {
  readonly signal: AbortSignal;
  readonly fetches: FetchRequests;
}
