import {
  type CommitId,
  encodeRecord,
  type JobKey,
  type Revision,
  revisionOf,
  type TargetName,
} from "@sluice/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COMMIT } from "./testing/notices.ts";
import {
  changed,
  deploymentOf,
  failedStatus,
  finished,
  PRODUCTION,
  statusOf,
  type TestChannel,
  testChannel,
  type World,
  world,
} from "./testing/world.ts";

const REVISION = revisionOf("main", COMMIT);
const BEFORE = revisionOf("main", "f".repeat(40) as CommitId);
const key = (name: string) => `apps/${name}` as JobKey;

let all: World;
let chat: TestChannel;
let stop: () => Promise<void>;

beforeEach(async () => {
  all = world();
  chat = testChannel();
  stop = all.start({ chat });
  await all.passes(0);
});
afterEach(() => stop());

const kinds = () => chat.taken.map(({ kind }) => kind);

async function degrade(names: readonly string[], revision: Revision = REVISION) {
  all.happens({ type: "deployment.started", revision });
  for (const name of names) {
    const status = failedStatus(key(name), revision, { owner: "shop", applied: BEFORE });
    all.status(status);
    all.happens(changed(status));
  }
  await all.passes(20_000);
  const counts = {
    jobs: 9,
    healthy: 0,
    progressing: 0,
    failed: names.length,
    created: 0,
    updated: 1,
    pruned: 0,
  };
  const message = `${names[0]}: not healthy within 5m`;
  all.happens(
    finished(deploymentOf(revision, { state: "degraded", reason: "HealthTimeout", message, counts })),
  );
  await all.passes(1_000);
}

describe("a deployment", () => {
  it("is told with what, where, from what to what, whose, how long, why and how to go back", async () => {
    const commit = { commit: COMMIT, author: "Ada", email: "a@b.c", at: "", subject: "web: 1.4.2" };
    const record = { revision: REVISION, previous: BEFORE, changes: [], commit };
    all.kv.set(PRODUCTION.layout.change(COMMIT), encodeRecord(record));
    const fields = [
      { path: "env.TOKEN", from: "a", to: "hush-hush" },
      { path: "container.docker.image", from: "web:1", to: "web:2" },
    ];
    const changes = [{ kind: "update" as const, key: key("web"), fields }];
    all.happens({ type: "deployment.planned", revision: REVISION, changes, total: 1 });
    await degrade(["web"]);
    expect(kinds()).toEqual(["deployment.started", "deployment.degraded"]);
    const { id: _, ...told } = chat.taken[1] ?? { id: "" };
    expect(told).toEqual({
      kind: "deployment.degraded",
      severity: "error",
      environment: "production",
      at: expect.any(String),
      title: "production: main@sha1:01234567 is degraded",
      message: "web: not healthy within 5m",
      reason: "HealthTimeout",
      revision: REVISION,
      previous: BEFORE,
      commit: { id: COMMIT, subject: "web: 1.4.2", author: "Ada" },
      ms: 3_000,
      jobs: [
        {
          key: "apps/web",
          kind: "job.failed",
          change: "update",
          fields: [
            { path: "container.docker.image", from: "web:1", to: "web:2" },
            { path: "env.TOKEN", from: "•••", to: "•••" },
          ],
          owner: "shop",
          reason: "HealthTimeout",
          message: "not healthy within 5m",
          rollback: "sluice rollback apps/web --to ffffffffffff",
        },
      ],
      moreJobs: 0,
    });
    expect(JSON.stringify(all.kv.dump("sluice/notices/memory/"))).not.toContain("hush-hush");
  });

  it("in which many jobs fail is one message with a list of them", async () => {
    await degrade(["a", "b", "c"]);
    expect(kinds()).toEqual(["deployment.started", "deployment.degraded"]);
    expect(chat.taken[1]?.jobs.map((job) => job.key)).toEqual(["apps/a", "apps/b", "apps/c"]);
  });

  it("that ends the same again is not told again; one that ends otherwise is", async () => {
    await degrade(["a"]);
    all.happens(finished(deploymentOf(REVISION, { state: "degraded" })));
    await all.passes(1_000);
    const well = statusOf(key("a"), { attempted: REVISION });
    all.happens(changed(well));
    all.happens(finished(deploymentOf(REVISION)));
    await all.passes(1_000);
    expect(kinds()).toEqual(["deployment.started", "deployment.degraded", "deployment.healthy"]);
    expect(chat.taken[2]?.jobs).toMatchObject([{ key: "apps/a", kind: "job.recovered" }]);
  });

  it("whose events were lost is told from its record and the statuses", async () => {
    for (const name of ["a", "b"]) all.status(failedStatus(key(name), REVISION));
    const counts = { jobs: 2, healthy: 0, progressing: 0, failed: 2, created: 0, updated: 2, pruned: 0 };
    all.deployment(
      deploymentOf(REVISION, { state: "degraded", reason: "HealthTimeout", message: "m", counts }),
    );
    await all.passes(40_000);
    expect(kinds()).toEqual(["deployment.degraded"]);
    expect(chat.taken[0]?.jobs.map((job) => job.key)).toEqual(["apps/a", "apps/b"]);
  });
});

describe("jobs", () => {
  it("that fail together without a deployment are one message, and so is their recovery", async () => {
    for (const name of ["a", "b"])
      all.happens(changed(failedStatus(key(name), REVISION, { reason: "Unhealthy" })));
    await all.passes(11_000);
    expect(kinds()).toEqual(["job.failed"]);
    expect(chat.taken[0]?.title).toBe("production: 2 jobs failed at main@sha1:01234567");
    for (const name of ["a", "b"]) all.happens(changed(statusOf(key(name), { attempted: REVISION })));
    await all.passes(11_000);
    expect(kinds()).toEqual(["job.failed", "job.recovered"]);
  });

  it("that fail and recover before anybody heard are not told", async () => {
    all.happens(changed(failedStatus(key("a"), REVISION)));
    await all.passes(2_000);
    all.happens(changed(statusOf(key("a"), { attempted: REVISION })));
    await all.passes(60_000);
    expect(kinds()).toEqual([]);
  });

  it.each([
    ["RolledBack", "job.rolled-back"],
    ["HeldAfterFailure", "job.held"],
    ["Drifted", "job.drifted"],
    ["PrunePending", "job.prune-pending"],
    ["Refused", "job.failed"],
  ] as const)("that are %s are told as %s", async (reason, kind) => {
    all.happens(changed(failedStatus(key("a"), REVISION, { reason, sync: "OutOfSync" })));
    await all.passes(11_000);
    expect(kinds()).toEqual([kind]);
  });

  it.each(["Progressing", "Pending", "Suspended", "DependencyNotReady", "Locked", "Unreachable"] as const)(
    "that are %s are no news",
    async (reason) => {
      all.happens(changed(failedStatus(key("a"), REVISION, { reason, sync: "OutOfSync" })));
      await all.passes(60_000);
      expect(kinds()).toEqual([]);
    },
  );

  it("that are taken over are told", async () => {
    all.happens({ type: "job.adopted", key: key("a"), revision: REVISION, from: "nobody", owner: "shop" });
    await all.passes(11_000);
    expect(chat.taken).toMatchObject([{ kind: "job.adopted", jobs: [{ key: "apps/a", owner: "shop" }] }]);
  });
});

describe("what is told once", () => {
  const target = "apps" as TargetName;
  const failed = { type: "target.failed", target, code: "SCHEDULER_UNREACHABLE", message: "gone" } as const;

  it("is not told again within the window, and is after it", async () => {
    all.happens(failed);
    all.happens(failed);
    await all.passes(60_000);
    all.happens(failed);
    await all.passes(60_000);
    expect(kinds()).toEqual(["target.failed"]);
    await all.passes(300_000);
    all.happens(failed);
    await all.passes(1_000);
    expect(kinds()).toEqual(["target.failed", "target.failed"]);
  });

  it("is news again once it was over", async () => {
    for (const event of [failed, { type: "target.recovered", target } as const, failed]) {
      all.happens(event);
      await all.passes(1_000);
    }
    expect(kinds()).toEqual(["target.failed", "target.recovered", "target.failed"]);
  });
});

it("services that work for the whole engine are heard from whichever process they are in", async () => {
  all.happensAnywhere({ type: "router.failed", code: "BALANCER_FAILED", message: "no" });
  all.happensAnywhere({ type: "leader.elected", role: "router" });
  await all.passes(1_000);
  expect(chat.taken).toMatchObject([
    { kind: "router.failed", environment: "*", title: "the router cannot go on" },
  ]);
});

it("a bad push is told with file and line", async () => {
  const problem = {
    file: "apps/web.yaml" as never,
    line: 3,
    reason: "InvalidSpec" as const,
    message: "no id",
  };
  all.happens({ type: "mirror.refused", revision: REVISION, problems: [problem] });
  await all.passes(1_000);
  expect(chat.taken).toMatchObject([
    { kind: "mirror.refused", message: "apps/web.yaml:3: no id", severity: "error" },
  ]);
});

describe("a notifier that starts", () => {
  it("for the first time tells nothing of the past", async () => {
    await stop();
    all = world();
    const status = failedStatus(key("a"), REVISION);
    all.status(status);
    all.happens({ type: "deployment.started", revision: REVISION });
    all.happens(changed(status));
    all.happens(finished(deploymentOf(REVISION, { state: "degraded" })));
    all.deployment(deploymentOf(REVISION, { state: "degraded" }));
    await all.passes(3_600_000);
    stop = all.start({ chat });
    await all.passes(60_000);
    expect(kinds()).toEqual([]);
    all.happens(changed(statusOf(key("a"), { attempted: REVISION })));
    await all.passes(11_000);
    expect(kinds()).toEqual(["job.recovered"]);
  });

  it("again tells what happened meanwhile, and nothing twice", async () => {
    all.happens({ type: "deployment.started", revision: REVISION });
    await all.passes(1_000);
    await stop();
    all.happens(finished(deploymentOf(REVISION)));
    await all.passes(3_600_000);
    stop = all.start({ chat });
    await all.passes(60_000);
    expect(kinds()).toEqual(["deployment.started", "deployment.healthy"]);
  });
});
