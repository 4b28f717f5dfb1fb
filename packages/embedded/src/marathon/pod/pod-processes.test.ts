import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type MarathonUnderTest, marathonUnderTest } from "../marathon-under-test.ts";

let marathon: MarathonUnderTest;

beforeEach(async () => {
  marathon = await marathonUnderTest({ execution: "process" });
});

afterEach(() => marathon.close());

const status = async () => (await marathon.call("GET", "/v2/pods/p::status")).body;
const until = { timeout: 15_000 };

describe("the containers of a pod", () => {
  it("run as processes of their own, with the pod's environment, theirs, and the ports of all endpoints", async () => {
    await marathon.call("POST", "/v2/pods", {
      id: "/p",
      environment: { A: "pod", B: "pod" },
      containers: [
        {
          name: "web",
          environment: { B: "web" },
          exec: { command: { shell: 'echo "$A $B $EP_HTTP_API" > seen; exec sleep 300' } },
          endpoints: [{ name: "http-api" }],
        },
        {
          name: "side",
          exec: { command: { argv: ["/bin/sh", "-c", 'echo "$EP_HOST_HTTP_API" > seen; exec sleep 300'] } },
        },
      ],
    });
    await expect.poll(async () => (await status()).status, until).toBe("STABLE");
    const [instance] = (await status()).instances;
    const port = instance.containers[0].endpoints[0].allocatedHostPort;
    const { sandboxes } = marathon.server;
    const folder = join(sandboxes, "p", `${instance.id}._app.1`);
    const seen = (name: string) => readFileSync(join(folder, name, "seen"), "utf8").trim();
    await expect.poll(() => [seen("web"), seen("side")], until).toEqual([`pod web ${port}`, String(port)]);
  });

  it("end together, and start together again", async () => {
    await marathon.call("POST", "/v2/pods", {
      id: "/p",
      scheduling: { backoff: { backoff: 0 } },
      containers: [
        { name: "short", exec: { command: { shell: "sleep 0.2; exit 3" } } },
        { name: "long", exec: { command: { shell: "exec sleep 300" } } },
      ],
    });
    await expect.poll(async () => (await status()).instances.length, until).toBe(1);
    const [{ id }] = (await status()).instances;
    await expect
      .poll(async () => (await status()).instances.map((one: { id: string }) => one.id).concat("-")[0], until)
      .not.toBe(id);
  });

  it("wait for ever when one has only an image, saying why", async () => {
    await marathon.call("POST", "/v2/pods", {
      id: "/p",
      containers: [
        { name: "a", exec: { command: { shell: "true" } } },
        { name: "b", image: { kind: "DOCKER", id: "nginx" } },
      ],
    });
    const queue = async () => (await marathon.call("GET", "/v2/queue")).body.queue;
    await expect.poll(async () => (await queue()).length, until).toBe(1);
    const [waiting] = await queue();
    expect([waiting.pod.id, waiting.processedOffersSummary.rejectSummaryLastOffers[0].reason]).toEqual([
      "/p",
      "NoContainerRuntime",
    ]);
  });
});
