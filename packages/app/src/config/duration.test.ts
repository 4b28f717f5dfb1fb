import { expect, it } from "vitest";
import { formatDuration } from "./duration.ts";

it.each([
  [0, "0ms"],
  [349.6, "350ms"],
  [2_140, "2.1s"],
  [200_000, "3m 20s"],
  [14_700_000, "4h 5m"],
  [266_400_000, "3d 2h"],
])("shows %s ms as %j", (ms, text) => expect(formatDuration(ms)).toBe(text));
