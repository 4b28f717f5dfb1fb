import { describe, expect, it } from "vitest";
import { hasBecome, parseSchedule, type Schedule, withoutPastStart } from "./schedule.ts";

it.each([
  ["every day", /R\[n\]\/start\/period/],
  ["0 3 * * *", /R\[n\]\/start\/period/],
  ["R/2026-01-01T00:00:00Z/0 3 * * *", /R\[n\]\/start\/period/],
  ["R/tomorrow/P1D", /as its start/],
  ["R/03:00/P1D", /as its start/],
  ["R/1969-01-01T00:00:00Z/P1D", /before 1970/],
  ["R/2026-01-01T00:00:00Z/P1X", /period/],
  ["R/2026-01-01T00:00:00Z/PT0S", /period/],
])("cannot read %s", (text, why) => {
  expect(parseSchedule(text, "")).toMatch(why);
});

describe("a live schedule", () => {
  it.each([
    ["R/2026-01-01T03:00:00Z/P1D", "R/2026-02-11T03:00:00.000Z/P1D", ""],
    ["R/2026-01-01T03:00:00Z/PT60M", "R/2026-01-01T07:00:00.000Z/PT1H", ""],
    ["R//PT1H", "R/2026-01-01T07:13:00.000Z/PT1H", ""],
    ["R5/2026-01-01T00:00:00Z/P1D", "R3/2026-01-03T00:00:00.000Z/P1D", ""],
    ["R/2026-01-31T00:00:00Z/P1M", "R/2026-02-28T00:00:00.000Z/P1M", ""],
    ["R/2026-01-31T00:00:00Z/P1M", "R/2026-03-28T00:00:00.000Z/P1M", ""],
    ["R/2024-02-29T00:00:00Z/P1Y", "R/2026-02-28T00:00:00.000Z/P1Y", ""],
    ["R/2026-03-28T03:00:00/P1D", "R/2026-03-30T03:00:00.000+02:00/P1D", "Europe/Berlin"],
    ["R/2026-01-01T03:00:00+01:00/P1D", "R/2026-01-02T02:00:00.000Z/P1D", ""],
  ])("of %s has become %s", (wanted, live, zone) => {
    expect(hasBecome(read(wanted, zone), read(live, zone))).toBe(true);
  });

  it.each([
    ["R/2026-01-01T03:00:00Z/P1D", "R/2026-01-02T04:00:00.000Z/P1D", ""],
    ["R/2026-01-01T03:00:00Z/P1D", "R/2026-01-02T03:00:00.000Z/PT12H", ""],
    ["R/2026-06-01T03:00:00Z/P1D", "R/2026-01-02T03:00:00.000Z/P1D", ""],
    ["R/2026-01-01T03:00:00Z/P1D", "R3/2026-01-02T03:00:00.000Z/P1D", ""],
    ["R3/2026-01-01T03:00:00Z/P1D", "R5/2026-01-02T03:00:00.000Z/P1D", ""],
    ["R/2026-01-15T00:00:00Z/P1M", "R/2026-02-14T00:00:00.000Z/P1M", ""],
    ["R/2026-03-28T03:00:00/P1D", "R/2026-03-30T03:00:00.000+02:00/PT24H", "Europe/Berlin"],
  ])("of %s has not become %s", (wanted, live, zone) => {
    expect(hasBecome(read(wanted, zone), read(live, zone))).toBe(false);
  });
});

it.each([
  ["R/2026-01-01T03:00:00Z/P1D", "", "R/2026-05-11T03:00:00.000Z/P1D"],
  ["R/2026-01-31T03:00:00Z/P1M", "", "R/2026-05-31T03:00:00.000Z/P1M"],
  ["R/2026-01-01T03:00:00/P1D", "Europe/Berlin", "R/2026-05-11T03:00:00.000+02:00/P1D"],
  ["R/2027-01-01T03:00:00Z/P1D", "", "R/2027-01-01T03:00:00Z/P1D"],
  ["R3/2026-01-01T03:00:00Z/P1D", "", "R3/2026-01-01T03:00:00Z/P1D"],
  ["R//P1D", "", "R/2026-05-11T12:00:00.000Z/P1D"],
  ["R3//P1D", "", "R3//P1D"],
])("moves the past start of %s in %j to its next turn", (text, zone, expected) => {
  expect(withoutPastStart(text, zone, Date.UTC(2026, 4, 10, 12))).toBe(expected);
});

function read(text: string, zone: string): Schedule {
  const schedule = parseSchedule(text, zone);
  if (typeof schedule === "string") throw new Error(schedule);
  return schedule;
}
