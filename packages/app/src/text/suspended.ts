import type { SuspendedView } from "../http/controls/suspension.ts";
import { GLYPH } from "./glyphs.ts";

/** `◎ job apps/web is suspended by ada@workshop since 2026-01-01T10:00:00.000Z: disk is being replaced`. */
export function suspendedLine({ what, name, by, why, since }: SuspendedView): string {
  const who = by === undefined ? "" : ` by ${by}`;
  const when = since === undefined ? "" : ` since ${since}`;
  return `${GLYPH.wait} ${what} ${name} is suspended${who}${when}${why === undefined ? "" : `: ${why}`}`;
}
