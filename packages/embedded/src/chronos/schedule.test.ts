import { describe, expect, it } from "vitest";
import {
  afterLaunch,
  dueAt,
  formatSchedule,
  oneFurther,
  parseSchedule,
  type Schedule,
  skipLate,
} from "./schedule.ts";

const NOW = Date.parse("2026-01-15T12:00:00Z");

function parse(text: string, zone = ""): Schedule {
  const schedule = parseSchedule(text, zone, NOW);
  if (schedule === undefined) throw new Error(`Cannot parse ${text}`);
  return schedule;
}

describe("parseSchedule", () => {
  it.each([
    ["R/2026-01-01T00:00:00Z/PT1H", "", "R/2026-01-01T00:00:00.000Z/PT1H"],
    ["R5/2026-01-01T00:00:00.123Z/P1D", "", "R5/2026-01-01T00:00:00.123Z/P1D"],
    ["R/2026-01-01T00:00:00+02:00/PT60M", "", "R/2026-01-01T00:00:00.000+02:00/PT60M"],
    ["R/2026-01-01/P1M", "", "R/2026-01-01T00:00:00.000Z/P1M"],
    ["R//PT1H", "", "R/2026-01-15T11:59:59.000Z/PT1H"],
    ["R0/2026-01-01T00:00:00Z/PT1H", "", "R0/2026-01-01T00:00:00.000Z/PT1H"],
    ["R/2026-01-01T03:00:00Z/P1D", "America/New_York", "R/2026-01-01T03:00:00.000-05:00/P1D"],
    ["R/2026-07-01T03:00:00+09:00/P1D", "Europe/Berlin", "R/2026-07-01T03:00:00.000+02:00/P1D"],
    ["R/2026-01-01T03:00:00+09:00/P1D", "No/Such_Zone", "R/2026-01-01T03:00:00.000Z/P1D"],
  ])("reads %s in zone '%s' as %s", (text, zone, written) => {
    expect(formatSchedule(parse(text, zone))).toBe(written);
  });

  it.each([
    "",
    "0 * * * *",
    "R/2026-01-01T00:00:00Z",
    "R/2026-01-01T00:00:00Z/",
    "R/2026-01-01T00:00:00Z/1H",
    "R/2026-01-01T00:00:00Z/PXX",
    "R/2026-13-01T00:00:00Z/PT1H",
    "R/12:00/PT1H",
    "R/tomorrow/PT1H",
    "R-1/2026-01-01T00:00:00Z/PT1H",
    "xR/2026-01-01T00:00:00Z/PT1H",
    "R/2026-01-01T00:00:00Z/PT0S",
    "R/2026-01-01T00:00:00Z/PT-1H",
  ])("refuses '%s'", (text) => {
    expect(parseSchedule(text, "", NOW)).toBeUndefined();
  });
});

describe("dueAt", () => {
  it("is the millisecond after the start, as Chronos runs what is past", () => {
    expect(dueAt(parse("R/2026-01-15T12:00:00Z/PT1H"))).toBe(NOW + 1);
  });

  it("is never when no run is left", () => {
    expect(dueAt(parse("R0/2026-01-15T12:00:00Z/PT1H"))).toBeUndefined();
  });
});

describe("afterLaunch", () => {
  it.each([
    ["one period on", "R/2026-01-15T11:59:59Z/PT1H", "", "R/2026-01-15T12:59:59.000Z/PT1H"],
    ["missed periods collapse", "R/2020-01-01T00:00:00Z/PT1H", "", "R/2026-01-15T13:00:00.000Z/PT1H"],
    [
      "a count falls by one, whatever was missed",
      "R5/2020-01-01T00:00:00Z/P1D",
      "",
      "R4/2026-01-16T00:00:00.000Z/P1D",
    ],
    ["a start to come stays", "R3/2026-02-01T00:00:00Z/P1D", "", "R2/2026-02-01T00:00:00.000Z/P1D"],
    ["nothing falls below zero", "R0/2026-02-01T00:00:00Z/P1D", "", "R0/2026-02-01T00:00:00.000Z/P1D"],
    ["months are calendar months", "R/2025-10-31T00:00:00Z/P1M", "", "R/2026-01-31T00:00:00.000Z/P1M"],
    ["years are calendar years", "R/1970-02-28T00:00:00Z/P1Y", "", "R/2026-02-28T00:00:00.000Z/P1Y"],
    ["an offset is kept", "R/2026-01-01T00:00:00+02:00/P1D", "", "R/2026-01-16T00:00:00.000+02:00/P1D"],
    ["an empty start becomes a date", "R//PT1H", "", "R/2026-01-15T12:59:59.000Z/PT1H"],
    [
      "days follow the wall clock of the zone",
      "R/2025-07-01T03:00:00Z/P1D",
      "America/New_York",
      "R/2026-01-16T03:00:00.000-05:00/P1D",
    ],
    ["small periods from long ago", "R/1990-01-01T00:00:00Z/PT1S", "", "R/2026-01-15T12:00:01.000Z/PT1S"],
    [
      "beyond the last date it never runs again",
      "R/2026-01-01T00:00:00Z/P300000Y",
      "",
      "R0/2026-01-01T00:00:00.000Z/P300000Y",
    ],
  ])("%s", (_, before, zone, after) => {
    expect(formatSchedule(afterLaunch(parse(before, zone), NOW))).toBe(after);
  });
});

describe("2.x", () => {
  it.each([
    [
      "a run late within epsilon is kept",
      "R3/2026-01-15T11:56:00Z/PT1H",
      300_000,
      "R3/2026-01-15T11:56:00.000Z/PT1H",
    ],
    [
      "a run too late is skipped and used up",
      "R3/2026-01-15T11:54:00Z/PT1H",
      300_000,
      "R2/2026-01-15T12:54:00.000Z/PT1H",
    ],
    ["for ever stays for ever", "R/2020-01-01T00:00:00Z/P1D", 300_000, "R/2026-01-16T00:00:00.000Z/P1D"],
  ])("%s", (_, before, epsilon, after) => {
    const schedule = skipLate(parse(before), NOW, epsilon);
    expect(schedule && formatSchedule(schedule)).toBe(after);
  });

  it("drops a job whose runs have all been missed", () => {
    expect(skipLate(parse("R2/2020-01-01T00:00:00Z/P1D"), NOW, 300_000)).toBeUndefined();
  });

  it("moves on by one period at a launch, even into the past", () => {
    expect(formatSchedule(oneFurther(parse("R2/2026-01-15T11:00:00Z/PT1M")))).toBe(
      "R1/2026-01-15T11:01:00.000Z/PT1M",
    );
  });
});
