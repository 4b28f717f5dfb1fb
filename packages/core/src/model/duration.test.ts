import { expect, it } from "vitest";
import { parseDuration } from "./duration.ts";

it.each([
  ["250ms", 250],
  ["30s", 30_000],
  ["1.5m", 90_000],
  ["2h", 7_200_000],
  ["30", undefined],
  ["", undefined],
  ["-1s", undefined],
  ["1d", 86_400_000],
  ["1h30m", 5_400_000],
  ["30m 1h", undefined],
  ["1w", undefined],
])("reads %j as %s ms", (text, ms) => expect(parseDuration(text)).toBe(ms));
