import type { CommitId } from "@sluice/core";
import { manualClock, memoryKv, recordingSink } from "@sluice/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildTrigger } from "./build-trigger.ts";
import { jenkins } from "./ci/jenkins.ts";
import type { JenkinsAuth } from "./ci/jenkins-session.ts";
import { buildLayout } from "./record.ts";
import { listBuilds, requestBuild } from "./request.ts";
import { type FakeJenkins, fakeJenkins } from "./testing/fake-jenkins.ts";

const COMMIT = "a".repeat(40) as CommitId;
const BEFORE = "b".repeat(40) as CommitId;
const layout = buildLayout("sluice");

describe("builds at Jenkins", () => {
  let ci: FakeJenkins;
  let kv = memoryKv();
  let clock = manualClock();
  let sink = recordingSink();
  const stops: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    ci = await fakeJenkins();
    kv = memoryKv();
    clock = manualClock();
    sink = recordingSink();
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
    await ci.close();
  });

  function auth(kind: JenkinsAuth["kind"] = "api-token"): JenkinsAuth {
    return { username: "robot", secret: () => kind, kind };
  }

  function start(given = auth(), job = "team/shop"): () => Promise<void> {
    const controller = new AbortController();
    const target = {
      ci: jenkins({ url: ci.url, job, auth: given, parameters: { DEPLOY: "yes" }, tls: {} }),
      timeoutMs: 600_000,
    };
    const running = buildTrigger({
      kv,
      prefix: "sluice/",
      apps: new Map([["shop", target]]),
      clock,
      random: () => 0.5,
      events: sink,
      lock: { ttlMs: 15_000, lockDelayMs: 0, holder: "test" },
      remembered: 3,
    }).run(controller.signal);
    const stop = async () => {
      controller.abort();
      await running;
    };
    stops.push(stop);
    return stop;
  }

  const push = (to = COMMIT, from: CommitId | undefined = BEFORE, again = false) =>
    requestBuild(
      { kv, prefix: "sluice", clock },
      { app: "shop", repository: "/srv/shop.git", branch: { ref: "refs/heads/main", from, to }, again },
    );
  const builds = () => listBuilds({ kv, prefix: "sluice" }, "shop");
  const states = async () => (await builds()).map(({ state }) => state);

  /** Lets time go on until something is so. */
  async function until(check: () => Promise<boolean> | boolean) {
    await expect
      .poll(
        async () => {
          await clock.advance(500);
          return check();
        },
        { timeout: 5_000, interval: 5 },
      )
      .toBe(true);
  }
  const untilState = (...wanted: string[]) =>
    until(async () => JSON.stringify(await states()) === JSON.stringify(wanted));

  it("begins a build with its id, follows it through the queue to its result, and tells of it", async () => {
    start();
    const { record, created } = await push();
    expect(created).toBe(true);
    await untilState("queued");
    expect(ci.builds.map(({ parameters }) => parameters)).toEqual([
      {
        DEPLOY: "yes",
        SLUICE_BUILD_ID: record.id,
        SLUICE_APP: "shop",
        SLUICE_COMMIT: COMMIT,
        SLUICE_BRANCH: "main",
        SLUICE_REPOSITORY: "/srv/shop.git",
      },
    ]);
    Object.assign(ci.builds[0] as object, { number: 7 });
    await untilState("running");
    Object.assign(ci.builds[0] as object, { result: "SUCCESS" });
    await untilState("succeeded");
    const [build] = await builds();
    expect(build).toMatchObject({
      message: "build 7 ended with SUCCESS",
      url: `${ci.url}/job/team/job/shop/7/`,
      attempts: 1,
    });
    expect(sink.of("build.started")).toHaveLength(1);
    expect(sink.of("build.finished")).toMatchObject([{ app: "shop", commit: COMMIT, state: "succeeded" }]);
  });

  it.each([
    ["FAILURE", "failed"],
    ["UNSTABLE", "failed"],
    ["ABORTED", "aborted"],
    ["NOT_BUILT", "aborted"],
  ])("takes %s for %s", async (result, state) => {
    start();
    await push();
    await untilState("queued");
    Object.assign(ci.builds[0] as object, { number: 1, result });
    await untilState(state);
  });

  it("takes a push that is told ten times for one", async () => {
    const made = await Promise.all(Array.from({ length: 10 }, () => push()));
    expect(made.filter(({ created }) => created)).toHaveLength(1);
    start();
    await untilState("queued");
    expect(ci.builds).toHaveLength(1);
  });

  it("builds again what is done when a person asks, and not while it is under way", async () => {
    start();
    await push();
    await untilState("queued");
    expect((await push(COMMIT, BEFORE, true)).created).toBe(false);
    Object.assign(ci.builds[0] as object, { number: 1, result: "FAILURE" });
    await untilState("failed");
    expect((await push(COMMIT, BEFORE, true)).created).toBe(true);
    await untilState("queued");
    expect(ci.builds).toHaveLength(2);
  });

  it("finds a build whose start it got no answer for, in the queue or begun, and starts no second one", async () => {
    ci.fault = (request) => {
      if (!request.endsWith("buildWithParameters")) return undefined;
      ci.fault = undefined;
      return "cut";
    };
    start();
    await push();
    await untilState("queued");
    expect(ci.builds).toHaveLength(1);

    ci.fault = (request) => {
      if (!request.endsWith("buildWithParameters")) return undefined;
      const begun = ci.builds;
      ci.fault = () => {
        Object.assign(begun[1] as object, { number: 2 });
        ci.fault = undefined;
        return undefined;
      };
      return "cut";
    };
    await push("c".repeat(40) as CommitId, COMMIT);
    await until(async () => (await states()).includes("running"));
    expect(ci.builds).toHaveLength(2);
  });

  it("finds a build again after a crash between the start and its record", async () => {
    const stop = start();
    let commits = 0;
    // The request, that the CI is about to be asked, and the place in the queue: the process "dies" at the third.
    kv.fault = (call) => {
      if (call !== "commit") return undefined;
      commits += 1;
      return commits >= 3 ? "LOCK_LOST" : undefined;
    };
    await push();
    await until(() => ci.builds.length === 1);
    await stop();
    kv.fault = undefined;
    start();
    await untilState("queued");
    expect(ci.builds).toHaveLength(1);
  });

  it("follows a build whose place in the queue Jenkins has forgotten", async () => {
    start();
    await push();
    await untilState("queued");
    Object.assign(ci.builds[0] as object, { number: 3, result: "SUCCESS" });
    ci.forgetQueue();
    await untilState("succeeded");
  });

  it("does not take another build for its own where Jenkins counts anew", async () => {
    start();
    const { record } = await push();
    await untilState("queued");
    Object.assign(ci.builds[0] as object, {
      number: 1,
      result: "SUCCESS",
      parameters: { SLUICE_BUILD_ID: "of-another-push" },
    });
    const parameters = { SLUICE_BUILD_ID: record.id };
    ci.builds.push({ item: 999, parameters, number: 2, result: "FAILURE", cancelled: false });
    await untilState("failed");
    expect((await builds())[0]?.message).toBe("build 2 ended with FAILURE");
  });

  it("begins a build that is asked for once more, though the answer to it was lost", async () => {
    start();
    await push();
    await untilState("queued");
    Object.assign(ci.builds[0] as object, { number: 1, result: "FAILURE" });
    await untilState("failed");
    let failures = 0;
    ci.fault = (request) => (request.startsWith("POST") && failures++ === 0 ? 503 : undefined);
    await push(COMMIT, BEFORE, true);
    await until(() => ci.builds.length === 2);
    Object.assign(ci.builds[1] as object, { number: 2, result: "SUCCESS" });
    await untilState("succeeded");
    expect(ci.builds.map(({ parameters }) => parameters.SLUICE_BUILD_ID?.replace(/^.*-/, "-"))).toEqual([
      (await builds())[0]?.id,
      "-1",
    ]);
  });

  it("notes a build that was cancelled in the queue", async () => {
    start();
    await push();
    await untilState("queued");
    Object.assign(ci.builds[0] as object, { cancelled: true });
    await untilState("aborted");
    expect(await builds()).toMatchObject([{ message: "the build was cancelled in the queue" }]);
  });

  it("gets a crumb for a password, and a new one when its session ended", async () => {
    start(auth("password"));
    await push();
    await untilState("queued");
    ci.restart();
    await push("c".repeat(40) as CommitId, COMMIT);
    await untilState("queued", "queued");
    expect(ci.requests.filter((one) => one.includes("crumbIssuer"))).toHaveLength(2);
  });

  it("waits for a CI that is down, tells it once, and begins the build when it is back", async () => {
    ci.fault = () => 503;
    start();
    await push();
    await until(() => ci.requests.length >= 4);
    expect(sink.of("build.waiting")).toMatchObject([
      { code: "CI_UNREACHABLE", message: "Jenkins cannot take a build of team/shop now (503)" },
    ]);
    ci.fault = undefined;
    await untilState("queued");
    expect(ci.builds).toHaveLength(1);
  });

  it("ends a build that the CI does not end in time", async () => {
    start();
    await push();
    await untilState("queued");
    await clock.advance(600_000);
    await untilState("lost");
  });

  it("says of a job that does not exist, and goes on with others", async () => {
    start(auth(), "team/other");
    await push();
    await untilState("failed");
    expect(await builds()).toMatchObject([
      { message: "Jenkins has no job team/other, or hides it from this account" },
    ]);
    expect(JSON.stringify(sink.events) + JSON.stringify(kv.dump())).not.toMatch(/secret detail|api-token"/);
  });

  it("remembers the newest builds of an app only, and never forgets one that is under way", async () => {
    start();
    await push();
    await untilState("queued");
    for (const digit of ["1", "2", "3", "4"]) {
      await clock.advance(1_000);
      await push(digit.repeat(40) as CommitId, COMMIT);
      await until(() => ci.builds.length === Number(digit) + 1);
      Object.assign(ci.builds.at(-1) as object, { number: Number(digit), result: "SUCCESS" });
    }
    await untilState("succeeded", "succeeded", "succeeded", "queued");
  });

  it("leaves a record that cannot be read where it is, and tells it once", async () => {
    kv.set(`${layout.app("shop")}broken`, "{");
    start();
    await push();
    await untilState("queued");
    await until(() => ci.requests.length > 5);
    expect(sink.of("builds.failed")).toHaveLength(1);
    expect(kv.dump(layout.app("shop"))[`${layout.app("shop")}broken`]).toBe("{");
  });
});
