import { expect, it } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";

it.each([
  ["250ms", 250],
  ["30s", 30_000],
  ["1.5m", 90_000],
  ["2h", 7_200_000],
  ["30", undefined],
  ["", undefined],
  ["-1s", undefined],
  ["1d", undefined],
])("reads %j as %s ms", (text, ms) => expect(parseDuration(text)).toBe(ms));

it.each([
  [0, "0ms"],
  [349.6, "350ms"],
  [2_140, "2.1s"],
  [200_000, "3m 20s"],
  [14_700_000, "4h 5m"],
  [266_400_000, "3d 2h"],
])("shows %s ms as %j", (ms, text) => expect(formatDuration(ms)).toBe(text));
