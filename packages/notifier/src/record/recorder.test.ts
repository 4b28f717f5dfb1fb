import {
  type CommitId,
  type CommitNotes,
  type NoteText,
  parseDeploymentNotes,
  type Revision,
  revisionOf,
} from "@sluice/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COMMIT } from "../testing/notices.ts";
import { deploymentOf, failedStatus, finished, PRODUCTION, type World, world } from "../testing/world.ts";
import { recorder } from "./recorder.ts";

const OTHER = "f".repeat(40) as CommitId;
const [REVISION, LATER] = [revisionOf("main", COMMIT), revisionOf("main", OTHER)];

let all: World;
let notes: Map<CommitId, string>;
let appended: NoteText[][];
let fault: "before" | "after" | undefined;
let stop: () => Promise<void>;

const memoryNotes = (): CommitNotes => ({
  read: async (commits) =>
    new Map(commits.flatMap((one) => (notes.has(one) ? [[one, notes.get(one) ?? ""]] : []))),
  async append(texts) {
    if (fault === "before") throw new Error("cannot push");
    appended.push([...texts]);
    for (const { commit, text } of texts) notes.set(commit, (notes.get(commit) ?? "") + text);
    if (fault === "after") throw new Error("the answer was lost");
  },
  close: async () => undefined,
});

function start() {
  const over = new AbortController();
  const running = recorder({
    ...{ kv: all.kv, prefix: "sluice", environment: PRODUCTION, openNotes: async () => memoryNotes() },
    ...{ clock: all.clock, random: () => 0.5, events: all.sink, batchMs: 2_000 },
    lock: { ttlMs: 15_000, lockDelayMs: 0, holder: "test" },
  }).run(over.signal);
  return async () => {
    over.abort();
    await running;
  };
}

beforeEach(async () => {
  all = world();
  notes = new Map();
  appended = [];
  fault = undefined;
  stop = start();
  await all.passes(0);
});
afterEach(() => stop());

function ends(revision: Revision, more: Parameters<typeof deploymentOf>[1] = {}) {
  const finishedAt = new Date(all.clock.now()).toISOString();
  const status = deploymentOf(revision, {
    startedAt: new Date(all.clock.now() - 3_000).toISOString(),
    finishedAt,
    ...more,
  });
  all.deployment(status);
  all.happens(finished(status));
}
const states = (commit: CommitId) => parseDeploymentNotes(notes.get(commit) ?? "").map(({ state }) => state);

describe("the record in Git", () => {
  it("has one line for a deployment that ended, with its time, counts and how long it took", async () => {
    ends(REVISION);
    await all.passes(40_000);
    expect(notes.get(COMMIT)).toBe(
      "production: healthy in 3s at 2026-01-01T12:00:00.000Z (1 updated) [sluice]\n",
    );
    expect(all.sink.of("record.noted")).toMatchObject([{ commits: [COMMIT], deployments: 1 }]);
  });

  it("names the jobs that were not well", async () => {
    all.status(failedStatus("apps/web", REVISION));
    all.status(failedStatus("apps/old", LATER));
    ends(REVISION, { state: "degraded", reason: "HealthTimeout", message: "m" });
    await all.passes(40_000);
    expect(parseDeploymentNotes(notes.get(COMMIT) ?? "")).toMatchObject([
      {
        state: "degraded",
        problems: [{ key: "apps/web", reason: "HealthTimeout", message: "not healthy within 5m" }],
      },
    ]);
  });

  it("tells of each turn of one revision, and of what gave way, together", async () => {
    all.happens({ type: "deployment.superseded", revision: REVISION, by: LATER });
    ends(LATER);
    await all.clock.advance(500);
    ends(LATER, { state: "degraded" });
    await all.clock.advance(500);
    ends(LATER);
    await all.passes(40_000);
    expect([states(COMMIT), states(OTHER)]).toEqual([["superseded"], ["healthy", "degraded", "healthy"]]);
  });

  it.each(["before", "after"] as const)(
    "is complete once where appending fails %s its work",
    async (when) => {
      fault = when;
      ends(REVISION);
      await all.passes(10_000);
      fault = undefined;
      await all.passes(600_000);
      expect(states(COMMIT)).toEqual(["healthy"]);
      expect(all.sink.of("record.failed").length).toBe(1);
      expect(all.sink.of("record.recovered").length).toBe(1);
    },
  );

  it("is complete once where the process ends between the note and its memory", async () => {
    all.kv.fault = (call) => (call === "commit" && appended.length > 0 ? "KV_UNREACHABLE" : undefined);
    ends(REVISION);
    await all.passes(3_000);
    await stop();
    all.kv.fault = undefined;
    all.kv.unset("sluice/notices/recorded/production");
    stop = start();
    await all.passes(60_000);
    expect(states(COMMIT)).toEqual(["healthy"]);
    expect(appended.length).toBe(1);
  });

  it("is written from the deployment's record where the events are lost", async () => {
    all.deployment(deploymentOf(REVISION));
    await all.passes(40_000);
    expect(states(COMMIT)).toEqual(["healthy"]);
  });

  it("has nothing of a deployment that is under way", async () => {
    all.deployment(deploymentOf(REVISION, { state: "progressing", finishedAt: undefined }));
    await all.passes(40_000);
    expect(appended).toEqual([]);
  });
});
