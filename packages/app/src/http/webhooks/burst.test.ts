import { envName } from "@sluice/core";
import { memorySource, recordingSink } from "@sluice/core/testing";
import { mirror } from "@sluice/mirror";
import { expect, it } from "vitest";
import { fixture, webhookBench } from "./webhook-bench.ts";

it("500 pushes with a webhook each, within a second, cost a handful of looks, and the last one is mirrored", async () => {
  const bench = await webhookBench({ environments: { production: "https://github.com/acme/deploy.git" } });
  const { kv, clock } = bench;
  const source = memorySource();
  let looks = 0;
  const { watch: _, ...unwatched } = source;
  const counted = {
    ...unwatched,
    head: (signal?: AbortSignal) => source.head(signal).finally(() => (looks += 1)),
  };
  const service = mirror({
    environment: envName("production"),
    source: counted,
    kv,
    prefix: "sluice",
    clock,
    random: () => 0.5,
    events: recordingSink(),
    holder: "test",
    intervalMs: 3_600_000,
  });
  const stop = new AbortController();
  const running = service.run(stop.signal);
  source.push({ "apps/web.yaml": "0" });
  await expect
    .poll(() => kv.dump("sluice/production/files/"))
    .toEqual({ "sluice/production/files/apps/web.yaml": "0" });
  await clock.advance(0);
  const before = looks;

  for (let n = 1; n <= 500; n += 10) {
    const numbers = Array.from({ length: 10 }, (__, at) => n + at);
    const answers = numbers.map((number) => {
      source.push({ "apps/web.yaml": String(number) });
      return bench.deliver("github", fixture("github-push"), { "x-github-delivery": String(number) });
    });
    for (const { status } of await Promise.all(answers)) expect(status).toBe(202);
    await clock.advance(20);
  }
  await clock.advance(2_000);

  const last = { "sluice/production/files/apps/web.yaml": "500" };
  await expect.poll(() => kv.dump("sluice/production/files/")).toEqual(last);
  expect(looks - before).toBeLessThanOrEqual(6);
  expect(looks - before).toBeGreaterThan(1);
  expect(await bench.counted()).toEqual({ "github accepted": 500 });
  stop.abort();
  await running;
  await bench.stop();
});
