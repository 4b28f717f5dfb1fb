import { manualClock } from "@sluice/core/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type MarathonUnderTest, marathonUnderTest } from "../marathon-under-test.ts";

let marathon: MarathonUnderTest;
const clock = manualClock();

beforeEach(async () => {
  marathon = await marathonUnderTest({ clock, electionMs: 1000 });
});

afterEach(() => marathon.close());

it("gives the lead up when asked, cuts its event streams, and leads again after the election", async () => {
  const leader = marathon.server.address.replace("http://", "");
  expect((await marathon.call("GET", "/v2/leader")).body).toEqual({ leader });
  const stream = await fetch(`${marathon.server.address}/v2/events`, {
    headers: { accept: "text/event-stream" },
  });
  const gone = await marathon.call("DELETE", "/v2/leader");
  expect([gone.status, gone.body]).toEqual([200, { message: "Leadership abdicated" }]);
  await stream.text().catch(() => "cut");

  for (const [method, path, status, message] of [
    ["GET", "/v2/leader", 404, "There is no leader"],
    ["DELETE", "/v2/leader", 404, "There is no leader"],
    ["GET", "/v2/apps", 502, "Could not determine the current leader"],
    ["POST", "/v2/apps", 502, "Could not determine the current leader"],
  ] as const) {
    const answer = await marathon.call(method, path);
    expect([answer.status, answer.body.message]).toEqual([status, message]);
  }
  expect((await marathon.call("GET", "/ping")).status).toBe(200);
  await clock.advance(1000);
  expect((await marathon.call("GET", "/v2/leader")).body).toEqual({ leader });
  expect((await marathon.call("GET", "/v2/apps")).status).toBe(200);
});

it("has metrics, of which only the numbers of things are more than a frame", async () => {
  await marathon.call("POST", "/v2/apps", { id: "/a", cmd: "run it" });
  await marathon.settled();
  const { body } = await marathon.call("GET", "/metrics");
  expect(Object.keys(body)).toEqual(["start", "counters", "gauges", "histograms", "meters", "timers"]);
  expect(body.gauges).toEqual({
    "marathon.apps.active.gauge": { value: 1 },
    "marathon.pods.active.gauge": { value: 0 },
    "marathon.deployments.active.gauge": { value: 0 },
    "marathon.instances.running.gauge": { value: 1 },
  });
  expect((await marathon.call("GET", "/metrics/prometheus")).status).toBe(404);
  const root = await marathon.call("GET", "/");
  expect([root.status, root.headers.location]).toEqual([302, "/ui/"]);
});

it("lists tasks as text for those who want it", async () => {
  await marathon.call("POST", "/v2/apps", {
    id: "/shop/web",
    cmd: "run it",
    instances: 2,
    ports: [4000, 4001],
  });
  await marathon.call("POST", "/v2/apps", { id: "/bare", cmd: "run it", portDefinitions: [] });
  await marathon.settled();
  const { tasks } = (await marathon.call("GET", "/v2/apps/shop/web/tasks")).body;
  const [one, two] = tasks.map((task: { ports: number[] }) => task.ports);
  const accept = { accept: "text/plain" };
  const web = `shop_web\t4000\t127.0.0.1:${one[0]}\t127.0.0.1:${two[0]}\t\nshop_web\t4001\t127.0.0.1:${one[1]}\t127.0.0.1:${two[1]}\t\n`;
  expect((await marathon.call("GET", "/v2/apps/shop/web/tasks", undefined, accept)).body).toBe(web);
  const all = await marathon.call("GET", "/v2/tasks", undefined, accept);
  expect([all.headers["content-type"], all.body]).toEqual(["text/plain", `${web}bare\t \t127.0.0.1\t\n`]);
});
