import { describe, expect, it } from "vitest";
import { EMPTY_DIGEST } from "./digest.ts";
import { commitId, type Fingerprint, type JobKey, revisionOf } from "./ids.ts";
import { encodePath } from "./path.ts";
import { decodeRecord, encodeRecord } from "./records.ts";

const COMMIT = commitId("1".repeat(40));
const REVISION = revisionOf("main", COMMIT);
const AT = "2026-01-01T00:00:00.000Z";

const RECORDS = {
  marker: {
    state: "synced",
    revision: REVISION,
    previous: undefined,
    files: 2,
    digest: EMPTY_DIGEST,
    at: AT,
  },
  changes: {
    revision: REVISION,
    previous: REVISION,
    changes: [{ kind: "deleted", path: encodePath("a") }],
    commit: { commit: COMMIT, author: "A", email: "a@example.test", at: AT, subject: "s\u2028" },
  },
  status: {
    key: "apps/a" as JobKey,
    file: undefined,
    sync: "Synced",
    health: "Healthy",
    reason: "Applied",
    message: "ok",
    attempted: REVISION,
    applied: REVISION,
    failed: undefined,
    since: AT,
  },
  deployment: {
    attempted: REVISION,
    applied: undefined,
    state: "healthy",
    reason: "Applied",
    message: "ok",
    counts: { jobs: 1, healthy: 1, progressing: 0, failed: 0, created: 1, updated: 0, pruned: 0 },
    startedAt: AT,
    finishedAt: AT,
  },
  inventory: {
    key: "apps/a" as JobKey,
    file: encodePath("a"),
    fingerprint: "f".repeat(64) as Fingerprint,
    version: undefined,
    revision: REVISION,
    prune: "auto",
  },
} as const;

function entry(value: Uint8Array) {
  return { key: "sluice/x", value, modifyIndex: "1" };
}

describe.each(Object.keys(RECORDS) as (keyof typeof RECORDS)[])("a %s record", (kind) => {
  const record = RECORDS[kind];

  it("comes back as it was", () => {
    const bytes = encodeRecord(record);
    expect(Buffer.from(bytes).includes(10)).toBe(false);
    expect(decodeRecord(kind, entry(bytes))).toEqual(record);
  });

  it.each(["", "{", "null", "[]", '"text"', "{}"])("is not %j, and the error names the key", (text) => {
    expect(() => decodeRecord(kind, entry(Buffer.from(text)))).toThrow(
      expect.objectContaining({ code: "KV_RECORD_INVALID", message: expect.stringContaining("sluice/x") }),
    );
  });
});

it("names what a record lacks", () => {
  const { digest: _digest, files: _files, ...rest } = RECORDS.marker;
  expect(() => decodeRecord("marker", entry(Buffer.from(JSON.stringify(rest))))).toThrow(
    /it lacks files, digest$/,
  );
});
