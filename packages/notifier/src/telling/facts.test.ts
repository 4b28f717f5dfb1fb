import { EVERY_ENVIRONMENT, type SluiceEvent } from "@sluice/core";
import { expect, it } from "vitest";
import { NOTICE_KINDS, WIDE_EVENTS } from "../notice/kinds.ts";
import { factOf } from "./facts.ts";

/** Members that any of the events may have. */
const MEMBERS = {
  ...{ environment: EVERY_ENVIRONMENT, at: "2026-01-01T00:00:00.000Z", code: "X", message: "m", why: "w" },
  ...{ commit: "c".repeat(40), changes: [], image: "i", problems: [], app: "a", state: "failed", ms: 1 },
  ...{ service: "s", servers: 2, node: "n" },
};

it.each([...WIDE_EVENTS])("%s leads to a message of a known kind", (type) => {
  const fact = factOf({ type, ...MEMBERS } as unknown as SluiceEvent);
  expect(Object.keys(NOTICE_KINDS)).toContain(fact?.kind);
  expect(fact?.title).not.toContain("undefined");
});
