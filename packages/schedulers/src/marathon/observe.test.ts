import { readdirSync, readFileSync } from "node:fs";
import { isJsonObject, type JsonObject } from "@sluice/core";
import { expect, it } from "vitest";
import { liveApp } from "./live-app.ts";
import { queueEntries } from "./observe.ts";

const FOLDER = new URL("./fixtures/", import.meta.url);

const EXPECTED: Record<string, [health: string, message: string]> = {
  "checks-not-yet-answered": ["Progressing", "1 of 3 instances healthy"],
  "crash-looping": [
    "Degraded",
    "0 of 3 instances healthy; the last task failed: Command exited with status 1, token •••; Marathon pauses before the next start",
  ],
  "deployed-not-yet-started": ["Progressing", "0 of 3 instances healthy"],
  deploying: ["Progressing", "1 of 3 instances healthy"],
  "deploying-with-all-old-healthy": ["Progressing", "3 of 3 instances healthy; the deployment still runs"],
  healthy: ["Healthy", "3 of 3 instances healthy"],
  "healthy-after-old-failure": ["Healthy", "3 of 3 instances healthy"],
  "healthy-without-checks": ["Healthy", "3 of 3 instances running"],
  "lost-a-task": [
    "Progressing",
    "2 of 3 instances healthy; the last task failed: Command exited with status 1, token •••",
  ],
  "scaled-to-zero": ["Healthy", "scaled to 0"],
  "scaling-to-zero": ["Progressing", "1 still stopping"],
  unhealthy: ["Degraded", "2 of 3 instances healthy; 1 failing the health check"],
  "waiting-for-offers": ["Progressing", "0 of 3 instances healthy; no offer fits: InsufficientMemory"],
};

it("has an expectation for every fixture", () => {
  const names = readdirSync(FOLDER).map((name) => name.replace(/^marathon-app-|\.json$/g, ""));
  expect(names.sort()).toEqual(Object.keys(EXPECTED).sort());
});

it.each(Object.entries(EXPECTED))("observes an app that is %s", (name, [health, message]) => {
  const { app, queue } = read(`marathon-app-${name}.json`);
  const entries = queueEntries({ queue: queue ?? [] });
  const live = liveApp(isJsonObject(app) ? app : {}, entries.get("/shop/web"));
  expect(live.observed).toEqual({ health, message });
});

it("shows an app's definition without what Marathon counts, its mark and its version", () => {
  const { app } = read("marathon-app-deploying.json");
  const live = liveApp(isJsonObject(app) ? app : {});
  expect({ ...live, spec: Object.keys(live.spec).sort() }).toMatchObject({
    id: "shop/web",
    owner: "production",
    version: "2026-01-02T00:00:00.000Z 2026-01-02T00:00:00.000Z",
    spec: ["cmd", "env", "healthChecks", "id", "instances", "labels", "version", "versionInfo"],
  });
});

function read(name: string): JsonObject {
  return JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")) as JsonObject;
}
