import type { App } from "../model.ts";

/** The launch delay of an app whose tasks fail. */
export interface Delay {
  /** The `lastConfigChangeAt` it was earned with; another configuration starts afresh. */
  config: string;
  delayMs: number;
  /** When the next launch may be, in milliseconds since the epoch. */
  until: number;
}

/** The delay after one more failure: `backoffSeconds`, times `backoffFactor` for each further one, up to the app's limit. */
export function longer(app: App, before: Delay | undefined, now: number): Delay {
  const limit = app.maxLaunchDelaySeconds * 1000;
  const known = current(app, before, now);
  const grown = known ? known.delayMs * app.backoffFactor : app.backoffSeconds * 1000;
  const delayMs = Math.min(grown, limit);
  return { config: app.versionInfo.lastConfigChangeAt, delayMs, until: now + delayMs };
}

/** The delay that counts for an app: none after a config change, nor when the longest delay has passed in peace. */
export function current(app: App, delay: Delay | undefined, now: number): Delay | undefined {
  if (!delay || delay.config !== app.versionInfo.lastConfigChangeAt) return undefined;
  return now > delay.until + app.maxLaunchDelaySeconds * 1000 ? undefined : delay;
}
