import { randomBytes } from "node:crypto";
import {
  commitId,
  DEFAULT_JOB_OPTIONS,
  type DesiredJob,
  fingerprintOf,
  type JsonObject,
  revisionOf,
} from "@sluice/core";
import { expect, it } from "vitest";
import { entryOf, provenEntry, unpackSpec } from "./entry.ts";

const REVISION = revisionOf("main", commitId("1".repeat(40)));

function job(spec: JsonObject, onFailure: "hold" | "rollback" = "rollback"): DesiredJob {
  return {
    key: "apps/web",
    target: "apps",
    id: "web",
    file: "apps/web.yaml",
    line: 1,
    spec,
    fingerprint: fingerprintOf(spec),
    options: { ...DEFAULT_JOB_OPTIONS, onFailure },
  } as unknown as DesiredJob;
}

function proven(one: DesiredJob) {
  return provenEntry(entryOf(one, undefined, { version: "v1", revision: REVISION }), one);
}

it("keeps the spec of a job that may go back to it, and gives it back as it was", () => {
  const spec = { id: "web", env: { GREETING: "grüß dich", LIST: [1, { a: null }] } };
  const { lastHealthy } = proven(job(spec));
  expect(lastHealthy?.revision).toBe(REVISION);
  expect(lastHealthy && unpackSpec(lastHealthy)).toEqual(spec);
});

it("keeps none of a job that does not, and lets go of it when a job no longer does", () => {
  const spec = { id: "web" };
  expect(proven(job(spec, "hold")).lastHealthy).toBeUndefined();
  const now = { version: "v2", revision: REVISION };
  expect(entryOf(job(spec, "hold"), proven(job(spec)), now).lastHealthy).toBeUndefined();
  expect(entryOf(job({ id: "2" }), proven(job(spec)), now).lastHealthy?.fingerprint).toBe(
    fingerprintOf(spec),
  );
});

it("keeps none that is too long for a small record", () => {
  const spec = { id: "web", noise: randomBytes(120_000).toString("hex") };
  expect(proven(job(spec)).lastHealthy).toBeUndefined();
});

it.each([
  ["is no deflated text", (packed: string) => `x${packed}`],
  ["is another spec", () => proven(job({ id: "other" })).lastHealthy?.packed ?? ""],
])("gives none back where what was kept %s", (_, spoil) => {
  const { lastHealthy } = proven(job({ id: "web" }));
  expect(lastHealthy && unpackSpec({ ...lastHealthy, packed: spoil(lastHealthy.packed) })).toBeUndefined();
});
