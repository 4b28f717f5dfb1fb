import type { FieldChange, JsonObject } from "@sluice/core";
import { compareApps } from "./compare-apps.ts";
import { comparePods } from "./compare-pods.ts";
import { isPod } from "./pod-kind.ts";

/** See JobFormat.compare; for apps and pods. */
export function compareJobs(
  desired: JsonObject,
  live: JsonObject,
  ignore: readonly string[],
): readonly FieldChange[] {
  if (isPod(desired) !== isPod(live)) return [{ path: "kind", from: kindOf(live), to: kindOf(desired) }];
  return isPod(desired) ? comparePods(desired, live, ignore) : compareApps(desired, live, ignore);
}

function kindOf(spec: JsonObject): string {
  return isPod(spec) ? "pod" : "app";
}
