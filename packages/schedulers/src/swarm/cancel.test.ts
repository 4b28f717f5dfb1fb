import type { IncomingMessage, ServerResponse } from "node:http";
import { jobId, systemClock } from "@sluice/core";
import { expect, it } from "vitest";
import { serving } from "../http/fake-server.ts";
import { swarm } from "./driver.ts";

/** A service in the middle of its update, which the orchestrator writes to just after each of the first `moves` reads. */
async function updating(moves: number) {
  const state = { version: 1, reads: 0, rollbacks: [] as string[] };
  function answer({ method, url = "" }: IncomingMessage, response: ServerResponse) {
    const end = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const { pathname, searchParams } = new URL(url, "http://docker");
    if (pathname.endsWith("/tasks")) return end(200, []);
    if (method === "POST") {
      if (searchParams.get("version") !== String(state.version))
        return end(500, { message: "rpc error: code = Unknown desc = update out of sequence" });
      state.rollbacks.push(searchParams.get("rollback") ?? "");
      return end(200, {});
    }
    const Version = { Index: state.version };
    state.reads += 1;
    if (state.reads <= moves) state.version += 1;
    const UpdateStatus = { State: "updating" };
    end(200, [{ ID: "s1", Version, UpdateStatus, Spec: { Name: "web" }, PreviousSpec: { Name: "web" } }]);
  }
  const address = (await serving(answer)).replace("http:", "tcp:");
  return { state, scheduler: swarm({ addresses: [address], clock: systemClock, random: () => 0 }) };
}

it("puts the previous spec back, also where the orchestrator writes to the service meanwhile", async () => {
  const { state, scheduler } = await updating(2);
  await scheduler.cancel?.(jobId("web"));
  expect(state.rollbacks).toEqual(["previous"]);
});

it("says so where the service never stands still", async () => {
  const { state, scheduler } = await updating(1000);
  await expect(scheduler.cancel?.(jobId("web"))).rejects.toMatchObject({ code: "SCHEDULER_CONFLICT" });
  expect(state.rollbacks).toEqual([]);
});
