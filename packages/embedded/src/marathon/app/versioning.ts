import { isDeepStrictEqual } from "node:util";
import type { App } from "../model.ts";
import type { Spec } from "./complete.ts";

/** How an app differs from what it was. */
export type Difference = "none" | "scale" | "upgrade";

/** Lists whose order carries no meaning. */
const SETS = ["constraints", "healthChecks", "dependencies", "acceptedResourceRoles"] as const;

/** Any change but of `instances` is an upgrade, which restarts every task; labels are no exception. */
export function difference(from: Spec, to: Spec): Difference {
  if (!isDeepStrictEqual(comparable(from), comparable(to))) return "upgrade";
  return from.instances === to.instances ? "none" : "scale";
}

/** Whether going from one app to the other replaces its tasks: also a restart, which changes only the config version. */
export function needsRestart(from: App, to: App): boolean {
  return from.versionInfo.lastConfigChangeAt !== to.versionInfo.lastConfigChangeAt;
}

/** The app with its versions as Marathon moves them. @param now timestamp of the write. */
export function versioned(spec: Spec, from: App | undefined, now: string): App {
  const change = from ? difference(from, spec) : "upgrade";
  if (from && change === "none") return from;
  if (from && change === "scale")
    return { ...spec, version: now, versionInfo: { ...from.versionInfo, lastScalingAt: now } };
  return { ...spec, version: now, versionInfo: { lastScalingAt: now, lastConfigChangeAt: now } };
}

/** An app without what the server alone decides. */
export function specOf(app: App): Spec {
  const { version: _, versionInfo: __, ...spec } = app;
  return spec;
}

function comparable(app: Spec & Partial<App>): Record<string, unknown> {
  const { instances: _, version: __, versionInfo: ___, ...rest } = app;
  const result: Record<string, unknown> = { ...rest };
  for (const key of SETS) {
    const list = app[key];
    if (list) result[key] = list.map((one) => JSON.stringify(one)).sort();
  }
  return result;
}
