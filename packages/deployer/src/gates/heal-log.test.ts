import type { JobKey } from "@sluice/core";
import { expect, it } from "vitest";
import { healLog } from "./heal-log.ts";

const KEY = "apps/web" as JobKey;
const OTHER = "apps/api" as JobKey;

it("lets a job be put right twice at once, then after ever longer pauses up to half an hour", () => {
  const log = healLog();
  let now = 1_000_000;
  const pauses: number[] = [];
  for (let heal = 0; heal < 12; heal++) {
    log.note(KEY, now);
    const until = log.waiting(KEY, now)?.until ?? now;
    pauses.push((until - now) / 1000);
    now = until;
  }
  expect(pauses).toEqual([0, 10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800, 1800]);
  expect(log.waiting(KEY, now)).toBeUndefined();
});

it("counts each job on its own, and begins anew once a job was left in peace", () => {
  const log = healLog();
  for (const at of [0, 1, 2]) log.note(KEY, at);
  expect([log.waiting(KEY, 3), log.waiting(OTHER, 3)]).toEqual([{ until: 20_002, times: 3 }, undefined]);
  log.note(KEY, 20_000 + 10 * 60_000 + 3);
  expect(log.waiting(KEY, 20_000 + 10 * 60_000 + 3)).toBeUndefined();
});
