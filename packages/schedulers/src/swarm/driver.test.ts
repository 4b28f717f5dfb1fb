import type { IncomingMessage, ServerResponse } from "node:http";
import { jobId, type Scheduler } from "@sluice/core";
import { manualClock } from "@sluice/core/testing";
import { expect, it } from "vitest";
import { serving } from "../http/fake-server.ts";
import { swarm } from "./driver.ts";

const MARK = "test";
const SPEC = { Labels: { "sluice/owner": MARK }, TaskTemplate: { Networks: [{ Target: "n1" }] } };

/** A swarm whose services share a network, which is in use for as long as `inUse` says. */
async function fakeSwarm() {
  const state = { services: ["web", "api"], networks: ["n1"], inUse: true, asked: 0 };
  function answer({ method, url = "" }: IncomingMessage, response: ServerResponse) {
    const end = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const [path = ""] = url.split("?");
    if (method === "DELETE" && path.startsWith("/services/")) {
      state.services = state.services.filter((name) => path !== `/services/${name}`);
      return end(200, {});
    }
    if (method === "DELETE") {
      state.asked += 1;
      if (state.inUse) return end(403, { message: "in use" });
      state.networks = [];
      return end(204, {});
    }
    if (path === "/services")
      return end(
        200,
        state.services.map((ID) => ({ ID, Version: { Index: 1 }, Spec: { ...SPEC, Name: ID } })),
      );
    const networks = state.networks.map((Id) => ({ Id, Name: "shop", Labels: SPEC.Labels }));
    return end(200, path === "/networks" ? networks : []);
  }
  const clock = manualClock();
  const scheduler: Scheduler = swarm({
    addresses: [(await serving(answer)).replace("http:", "tcp:")],
    clock,
    random: () => 0.5,
  });
  const settle = async (condition: () => boolean) => {
    for (let turn = 0; turn < 500 && !condition(); turn++) {
      await clock.advance(25);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(condition()).toBe(true);
  };
  return { state, clock, scheduler, settle };
}

it("a removal does not wait for a network that is in use still, and neither do other writes; it is taken away once it is free", async () => {
  const { state, scheduler, settle } = await fakeSwarm();
  await scheduler.remove({ id: jobId("web"), mark: MARK });
  expect(state.asked).toBe(0);
  await scheduler.remove({ id: jobId("api"), mark: MARK });
  expect([state.services, state.networks, state.asked]).toEqual([[], ["n1"], 1]);
  await settle(() => state.asked > 3);
  state.inUse = false;
  await settle(() => state.networks.length === 0);
});

it("what is left over is given up in the end, or with the signal", async () => {
  const { state, clock, scheduler, settle } = await fakeSwarm();
  state.services = ["web"];
  const leading = new AbortController();
  await scheduler.remove({ id: jobId("web"), mark: MARK }, leading.signal);
  await settle(() => state.asked > 2);
  leading.abort();
  const asked = state.asked;
  await clock.advance(60_000);
  await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(60_000);
  expect(state.asked - asked).toBeLessThanOrEqual(1);
});
