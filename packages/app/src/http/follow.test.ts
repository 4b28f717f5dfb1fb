import {
  type CommitId,
  commitId,
  type DeploymentStatus,
  type EnvName,
  type EventBody,
  encodeRecord,
  type JobKey,
  kvLayout,
  type RevisionMarker,
  revisionOf,
  type SluiceEvent,
} from "@sluice/core";
import { type MemoryKv, manualClock, memoryKv } from "@sluice/core/testing";
import { beforeEach, describe, expect, it } from "vitest";
import type { Environment } from "../engine/environment.ts";
import { type FollowLine, follow, followFrom } from "./follow.ts";

const name = "production" as EnvName;
const layout = kvLayout("sluice", name);
const environment = { name, layout, deploys: true } as Environment;
const A = commitId("a".repeat(40));
const B = commitId("b".repeat(40));
const at = "2026-01-01T00:00:00.000Z";

const synced = (commit: CommitId): EventBody => ({
  type: "mirror.synced",
  revision: revisionOf("main", commit),
  previous: undefined,
  created: 1,
  updated: 0,
  deleted: 0,
  transactions: 1,
  ms: 4,
});
const status = (commit: CommitId, state: DeploymentStatus["state"]): DeploymentStatus => ({
  attempted: revisionOf("main", commit),
  applied: undefined,
  state,
  reason: "Applied",
  message: "all is well",
  counts: { jobs: 1, healthy: 1, progressing: 0, failed: 0, created: 1, updated: 0, pruned: 0 },
  startedAt: at,
  finishedAt: state === "progressing" ? undefined : at,
});
const finished = (commit: CommitId, state: DeploymentStatus["state"] = "healthy"): EventBody => ({
  type: "deployment.finished",
  revision: revisionOf("main", commit),
  status: status(commit, state),
  ms: 9,
});
const healthy = (commit: CommitId): EventBody => ({
  type: "job.changed",
  key: "apps/web" as JobKey,
  previous: undefined,
  ms: 8,
  status: {
    key: "apps/web" as JobKey,
    file: undefined,
    sync: "Synced",
    health: "Healthy",
    reason: "Applied",
    message: "running",
    attempted: revisionOf("main", commit),
    applied: revisionOf("main", commit),
    failed: undefined,
    since: at,
  },
});

let kv: MemoryKv;
let logs: Record<"mirror" | "deployer", { seq: number; event: SluiceEvent }[]>;
beforeEach(() => {
  kv = memoryKv();
  logs = { mirror: [], deployer: [] };
});

function log(role: "mirror" | "deployer", ...events: EventBody[]) {
  for (const event of events)
    logs[role].push({
      seq: logs[role].length + 1,
      event: { ...event, environment: name, at } as SluiceEvent,
    });
  kv.set(`${layout.events}/${role}`, JSON.stringify(logs[role]));
}
function mark(commit: CommitId) {
  const marker: RevisionMarker = {
    state: "synced",
    revision: revisionOf("main", commit),
    previous: undefined,
    files: 1,
    digest: "",
    at,
  };
  kv.set(layout.revision, encodeRecord(marker));
}

async function told(
  commit: CommitId,
  clock = manualClock(),
  from?: Awaited<ReturnType<typeof followFrom>>,
): Promise<FollowLine[]> {
  const lines: FollowLine[] = [];
  const options = { kv, environment, commit, from, plan: false, clock, deadlineMs: 60_000 };
  for await (const line of follow(options, new AbortController().signal)) lines.push(line);
  return lines;
}

describe("following a commit", () => {
  it("tells the mirror, each job and the end, whatever came before the follower", async () => {
    log("mirror", synced(A));
    mark(A);
    log("deployer", healthy(A), finished(A));
    expect(await told(A)).toEqual([
      { text: "✔ mirrored main@sha1:aaaaaaaa (1 file) in 4ms" },
      { text: "✔ apps/web healthy in 8ms" },
      { text: "✔ main@sha1:aaaaaaaa: 1 of 1 job healthy (1 created) in 9ms" },
      { end: "healthy" },
    ]);
  });

  it("does not tell an earlier deployment of the same commit again", async () => {
    log("mirror", synced(A), synced(B));
    log("deployer", healthy(A), finished(A, "degraded"), finished(B));
    const from = await followFrom(kv, environment);
    const following = told(A, manualClock(), from);
    log("mirror", synced(A));
    log("deployer", finished(A));
    expect((await following).at(-1)).toEqual({ end: "healthy" });
  });

  it("ends when the mirror refuses the revision, with every problem", async () => {
    const problem = { file: "big.bin", reason: "InvalidSpec", message: "is too large" } as never;
    log("mirror", { type: "mirror.refused", revision: revisionOf("main", A), problems: [problem] });
    expect(await told(A)).toEqual([
      { text: "✗ main@sha1:aaaaaaaa is not mirrored; the revision before it stays" },
      { text: "✗ big.bin: is too large" },
      { end: "refused" },
    ]);
  });

  it("ends with the mirror where nothing is deployed, also for one who came late", async () => {
    const mirrored = { ...environment, deploys: false };
    const options = { kv, environment: mirrored, commit: A, from: undefined, plan: false };
    const ends = async () => {
      const lines: FollowLine[] = [];
      const clock = manualClock();
      const all = { ...options, clock, deadlineMs: 60_000 };
      let ended = false;
      const following = (async () => {
        for await (const line of follow(all, new AbortController().signal)) lines.push(line);
        ended = true;
      })();
      while (!ended) await clock.advance(100);
      await following;
      return lines;
    };
    mark(A);
    expect(await ends()).toEqual([{ end: "healthy" }]);
    log("mirror", synced(A));
    expect(await ends()).toEqual([
      { text: "✔ mirrored main@sha1:aaaaaaaa (1 file) in 4ms" },
      { end: "healthy" },
    ]);
  });

  it("ends when a newer revision takes over", async () => {
    log("mirror", synced(A));
    log("deployer", {
      type: "deployment.superseded",
      revision: revisionOf("main", A),
      by: revisionOf("main", B),
    });
    expect((await told(A)).at(-1)).toEqual({ end: "superseded" });
  });

  it("believes the deployment's own key where its events were pushed out of the log", async () => {
    const clock = manualClock();
    mark(A);
    kv.set(layout.deployment, encodeRecord(status(A, "degraded")));
    const following = told(A, clock);
    while (clock.sleepers() < 3) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(1_000);
    expect(await following).toEqual([{ end: "degraded" }]);
  });

  it("gives up at its deadline with a hint", async () => {
    const clock = manualClock();
    const following = told(A, clock);
    while (clock.sleepers() < 2) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(60_000);
    expect((await following).at(-1)).toEqual({
      text: "◎ still in progress; `sluice status --environment production` tells more",
      end: "timeout",
    });
  });

  it("says what it waits for when nothing comes", async () => {
    const clock = manualClock();
    const ended = new AbortController();
    const lines: string[] = [];
    const following = (async () => {
      for await (const { text } of follow(
        { kv, environment, commit: A, from: undefined, plan: false, clock, deadlineMs: 60_000 },
        ended.signal,
      ))
        if (text) lines.push(text);
    })();
    const silence = async (ms: number, count: number) => {
      while (clock.sleepers() < 2) await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(ms);
      while (lines.length < count) await new Promise((resolve) => setImmediate(resolve));
    };
    await silence(3_000, 1);
    const lock = await kv.lock(
      layout.lock("mirror"),
      { ttlMs: 10_000, lockDelayMs: 0, holder: "x" },
      ended.signal,
    );
    await silence(6_000, 2);
    ended.abort();
    await following;
    await lock.release();
    expect(lines).toEqual([
      "◎ no mirror leads production yet; one that ended without a word is replaced in some seconds",
      "◎ the mirror has not brought this commit yet",
    ]);
  });
});
