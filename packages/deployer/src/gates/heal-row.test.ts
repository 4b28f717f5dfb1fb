import type { HealedRow } from "@sluice/core";
import { expect, it } from "vitest";
import { healedAgain, healsAgainAt } from "./heal-row.ts";

it("lets a job be put right twice at once, then after ever longer pauses up to half an hour", () => {
  let now = 1_000_000;
  let row: HealedRow | undefined;
  const pauses: number[] = [];
  for (let heal = 0; heal < 12; heal++) {
    row = healedAgain(row, now);
    const until = healsAgainAt(row, now) ?? now;
    pauses.push((until - now) / 1000);
    now = until;
  }
  expect(pauses).toEqual([0, 10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800, 1800]);
  expect(healsAgainAt(row, now)).toBeUndefined();
});

it("begins anew once a job was left in peace", () => {
  let row: HealedRow | undefined;
  for (const at of [0, 1, 2]) row = healedAgain(row, at);
  expect([row?.times, healsAgainAt(row, 3), healsAgainAt(undefined, 3)]).toEqual([3, 20_002, undefined]);
  const fresh = healedAgain(row, 20_000 + 10 * 60_000 + 3);
  expect([fresh.times, healsAgainAt(fresh, 20_000 + 10 * 60_000 + 3)]).toEqual([1, undefined]);
});

it("a row that somebody spoiled keeps nobody from being put right", () => {
  expect(healsAgainAt({ times: 9, at: "yesterday" }, 3)).toBeUndefined();
  expect(healedAgain({ times: 9, at: "yesterday" }, 3).times).toBe(1);
});
