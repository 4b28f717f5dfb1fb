import { expect, it } from "vitest";
import { goDurationMs } from "./session.ts";

it.each([
  ["10s", 10_000],
  ["1m0s", 60_000],
  ["1h2m3.5s", 3_723_500],
  ["500ms", 500],
  ["", undefined],
  ["soon", undefined],
  ["10", undefined],
])("the Go duration %o is %o ms", (text, ms) => {
  expect(goDurationMs(text)).toBe(ms);
});
