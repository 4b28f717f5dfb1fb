import type { JsonObject } from "@sluice/core";
import { objectIn, textIn } from "../format/reading.ts";

/** The label that marks Sluice's apps. Its value is constant per engine and environment, since a changed label restarts the app. */
export const MARK_LABEL = "sluice/owner";

export function markOf(app: JsonObject): string | undefined {
  return textIn(objectIn(app.labels)?.[MARK_LABEL]);
}

export function withMark(app: JsonObject, mark: string): JsonObject {
  return { ...app, labels: { ...objectIn(app.labels), [MARK_LABEL]: mark } };
}

/** The label selector for a mark; Marathon's grammar wants every character beyond these escaped. */
export function markSelector(mark: string): string {
  const escaped = (text: string) => text.replace(/[^A-Za-z0-9_-]/g, "\\$&");
  return `${escaped(MARK_LABEL)}==${escaped(mark)}`;
}
