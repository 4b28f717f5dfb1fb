import { type EventBody, envName, type Revision, type SluiceEvent } from "@sluice/core";
import { expect, it } from "vitest";
import { eventLines } from "./events.ts";

const revision = `main@sha1:${"a".repeat(40)}` as Revision;

it.each<[EventBody, string]>([
  [
    { type: "mirror.progress", done: 63, total: 300, revision },
    "◎ mirroring main@sha1:aaaaaaaa: 63 of 300 files",
  ],
  [
    { type: "mirror.checked", revision, files: 1, since: "2026-01-01T00:00:00.000Z", ms: 250 },
    "✔ main@sha1:aaaaaaaa is mirrored (1 file, compared in 250ms)",
  ],
  [
    { type: "mirror.waiting", reason: "Pending", message: 'the branch "main" does not exist' },
    '◎ the mirror waits: the branch "main" does not exist',
  ],
  [{ type: "mirror.fenced" }, "✗ a write was refused: another process took the lock. Nothing was written"],
])("the mirror says %o in one line", (body, line) => {
  const event = { ...body, environment: envName("shop"), at: "2026-01-01T00:00:00.000Z" } as SluiceEvent;
  expect(eventLines(event)).toEqual([line]);
});
