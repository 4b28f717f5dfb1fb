import { manualClock } from "@sluice/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FaultyAnswer, faults } from "../../faults/faults.ts";
import { embeddedMarathon } from "../embedded-marathon.ts";
import { marathonAnswers } from "../faults.ts";
import { type MarathonUnderTest, marathonUnderTest } from "../marathon-under-test.ts";

const broken = faults();
let marathon: MarathonUnderTest;

beforeEach(async () => {
  marathon = await marathonUnderTest({ faults: broken });
});

afterEach(async () => {
  broken.clear();
  await marathon.close();
});

const APP = { id: "/a", cmd: "run it" };
const exists = async () => (await marathon.call("GET", "/v2/apps/a")).status === 200;

describe("an injected fault", () => {
  it.each<[string, FaultyAnswer, number, unknown]>([
    ["a lock", marathonAnswers.locked("some-id"), 409, { deployments: [{ id: "some-id" }] }],
    [
      "the limit",
      marathonAnswers.tooManyDeployments(),
      403,
      { message: expect.stringMatching(/^Max number \(100\)/) },
    ],
    ["no leader", marathonAnswers.noLeader(), 502, { message: "Could not determine the current leader" }],
    ["a busy server", marathonAnswers.tooBusy(), 503, expect.stringContaining("<h2>HTTP ERROR 503</h2>")],
  ])("answers as %s does, as often as told, and nothing is carried out", async (_, answer, status, body) => {
    broken.inject({ mishap: { answer }, method: "POST", path: /^\/v2\/apps$/, times: 1 });
    const hit = await marathon.call("POST", "/v2/apps?force=true", APP);
    expect(hit.status).toBe(status);
    if (typeof body === "object" && !("asymmetricMatch" in (body as object)))
      expect(hit.body).toMatchObject(body as object);
    else expect(hit.body).toEqual(body);
    expect([await exists(), broken.hits().at(-1)]).toEqual([false, "POST /v2/apps?force=true"]);
    expect((await marathon.call("POST", "/v2/apps", APP)).status).toBe(201);
  });

  it.each([
    ["before", false],
    ["after", true],
  ] as const)("resets the connection %s the write is accepted", async (reset, accepted) => {
    const takeAway = broken.inject({ mishap: { reset }, method: "POST" });
    await expect(marathon.call("POST", "/v2/apps", APP)).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(await exists()).toBe(accepted);
    takeAway();
    expect((await marathon.call("POST", "/v2/apps", APP)).status).toBe(accepted ? 409 : 201);
  });

  it("delays a request by the clock", async () => {
    await marathon.close();
    const clock = manualClock();
    marathon = await marathonUnderTest({ faults: broken, clock });
    broken.inject({ mishap: { slowMs: 60_000 }, path: /ping/ });
    const before = clock.sleepers();
    let answered = false;
    const answer = marathon.call("GET", "/ping").finally(() => {
      answered = true;
    });
    await expect.poll(() => clock.sleepers(), { timeout: 10_000 }).toBe(before + 1);
    await clock.advance(59_999);
    expect(answered).toBe(false);
    await clock.advance(1);
    expect((await answer).body).toBe("pong");
  });

  it("cuts the event streams that are open, and no other connection", async () => {
    const response = await fetch(`${marathon.server.address}/v2/events`, {
      headers: { accept: "text/event-stream" },
    });
    const reader = response.body?.getReader();
    await reader?.read();
    expect(broken.cutStreams()).toBe(1);
    const ended = async () => {
      while (!(await reader?.read())?.done);
    };
    await ended().catch(() => undefined);
    expect(broken.cutStreams()).toBe(0);
  });
});

it("does not share its folder with another server", async () => {
  await expect(embeddedMarathon({ dataDir: marathon.dataDir })).rejects.toThrow(
    `The data folder ${marathon.dataDir} is in use by another server.`,
  );
});
