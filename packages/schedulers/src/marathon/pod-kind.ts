import type { JsonObject } from "@sluice/core";

/** Whether a spec is a pod's; an app has one `container` at most. */
export function isPod(spec: JsonObject): boolean {
  return Array.isArray(spec.containers);
}
