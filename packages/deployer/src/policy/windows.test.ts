import { describe, expect, it } from "vitest";
import { closedWindow, isTimezone, parseWindow, type Window } from "./windows.ts";

function at(text: string): number {
  return Date.parse(text);
}

function window(kind: Window["kind"], text: string, timezone = "UTC"): Window {
  const found = parseWindow(kind, text, timezone);
  if (!found) throw new Error(`${text} is no window`);
  return found;
}

// 2026-03-02 is a Monday.
describe("a window", () => {
  it.each([
    ["Mon-Fri 08:00-18:00", "2026-03-02T08:00:00Z", true],
    ["Mon-Fri 08:00-18:00", "2026-03-02T07:59:59Z", false],
    ["Mon-Fri 08:00-18:00", "2026-03-02T17:59:59Z", true],
    ["Mon-Fri 08:00-18:00", "2026-03-02T18:00:00Z", false],
    ["Mon-Fri 08:00-18:00", "2026-03-07T12:00:00Z", false],
    ["sat,SUN", "2026-03-07T23:59:59Z", true],
    ["Sat,Sun", "2026-03-09T00:00:00Z", false],
    ["Fri-Mon", "2026-03-08T12:00:00Z", true],
    ["Fri-Mon", "2026-03-04T12:00:00Z", false],
    ["Mon,Wed-Thu 10:00-11:00", "2026-03-05T10:30:00Z", true],
    ["22:00-06:00", "2026-03-03T05:59:00Z", true],
    ["22:00-06:00", "2026-03-03T06:00:00Z", false],
    ["Fri 22:00-06:00", "2026-03-07T05:00:00Z", true],
    ["Fri 22:00-06:00", "2026-03-06T05:00:00Z", false],
    ["Fri 15:00-24:00", "2026-03-06T23:59:00Z", true],
    ["Fri 15:00-24:00", "2026-03-07T00:00:00Z", false],
  ])("%s covers %s: %s", (text, time, covers) => {
    expect(window("allow", text).covers(at(time))).toBe(covers);
  });

  it("goes by the clocks of its time zone, also across the change to summer time", () => {
    const opening = window("allow", "Sun,Sat 08:00-09:00", "Europe/Berlin");
    // Winter time until 2026-03-29 02:00, then summer time.
    expect([
      opening.covers(at("2026-03-28T07:30:00Z")),
      opening.covers(at("2026-03-28T06:30:00Z")),
      opening.covers(at("2026-03-29T06:30:00Z")),
      opening.covers(at("2026-03-29T07:30:00Z")),
    ]).toEqual([true, false, true, false]);
  });

  it.each([
    "",
    "weekdays",
    "Mon-",
    "Mon-Fri-Sun",
    "Mo",
    "08:00",
    "8:00-9:00",
    "25:00-26:00",
    "08:60-09:00",
    "24:00-08:00",
    "08:00-18:00 Mon",
    "Mon 08:00-18:00 UTC",
  ])("cannot be written as %j", (text) => {
    expect(parseWindow("allow", text, "UTC")).toBeUndefined();
  });

  it("needs a time zone that exists", () => {
    expect([isTimezone("Europe/Berlin"), isTimezone("Europe/Atlantis")]).toEqual([true, false]);
  });
});

describe("several windows", () => {
  const work = window("allow", "Mon-Fri 08:00-18:00");
  const night = window("allow", "22:00-23:00");
  const late = window("deny", "Fri 15:00-24:00", "UTC");

  it.each<[string, readonly Window[], string, string | undefined]>([
    ["none", [], "2026-03-07T12:00:00Z", undefined],
    ["an open one", [work], "2026-03-02T12:00:00Z", undefined],
    ["a closed one", [work], "2026-03-07T12:00:00Z", "changes are made in Mon-Fri 08:00-18:00 (UTC) only"],
    ["one of two open", [work, night], "2026-03-07T22:30:00Z", undefined],
    [
      "both closed",
      [work, night],
      "2026-03-07T12:00:00Z",
      "changes are made in Mon-Fri 08:00-18:00 (UTC) and 22:00-23:00 (UTC) only",
    ],
    ["only a denial, elsewhen", [late], "2026-03-05T16:00:00Z", undefined],
    [
      "an open one that is denied",
      [work, late],
      "2026-03-06T16:00:00Z",
      "no change is made in Fri 15:00-24:00 (UTC)",
    ],
  ])("with %s", (_, windows, time, message) => {
    expect(closedWindow(windows, at(time))).toBe(message);
  });
});
