import { encodePath, type JsonObject, jobId, type Problem, targetName } from "@sluice/core";
import { expect, it } from "vitest";
import { comparePods } from "./compare-pods.ts";
import { type Answers, fakeMarathon as fake } from "./fake-marathon.ts";
import { marathonFormat } from "./format.ts";
import { observePod } from "./live-pod.ts";

const MARK = "production";
const T1 = "2026-01-01T00:00:00.000Z";
const id = jobId("shop/pod");
const spec: JsonObject = {
  id: "/shop/pod",
  containers: [
    { name: "web", exec: { command: { shell: "serve" } }, endpoints: [{ name: "http" }] },
    { name: "side", image: { kind: "DOCKER", id: "side:1" }, environment: { TOKEN: "hunter2" } },
  ],
};
/** What Marathon 1.10 shows of `spec`. */
const served: JsonObject = {
  id: "/shop/pod",
  labels: { "sluice/owner": MARK },
  containers: [
    {
      ...{ name: "web", exec: { command: { shell: "serve" } } },
      resources: { cpus: 1, mem: 128, disk: 0, gpus: 0 },
      endpoints: [{ name: "http", hostPort: 0, protocol: ["tcp"], labels: {} }],
    },
    {
      ...{ name: "side", image: { kind: "DOCKER", id: "side:1", forcePull: false } },
      resources: { cpus: 1, mem: 128, disk: 0, gpus: 0 },
      environment: { TOKEN: "hunter2" },
    },
  ],
  networks: [{ mode: "host" }],
  scaling: { kind: "fixed", instances: 1 },
  scheduling: {
    backoff: { backoff: 1, backoffFactor: 1.15, maxLaunchDelay: 300 },
    upgrade: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
    placement: { constraints: [], acceptedResourceRoles: [] },
    killSelection: "YOUNGEST_FIRST",
    unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
  },
  executorResources: { cpus: 0.1, mem: 32, disk: 10 },
  role: "*",
  version: T1,
};
const status = (more: JsonObject = {}): JsonObject => ({
  ...{ id: "/shop/pod", spec: served, status: "STABLE", instances: [{ status: "STABLE" }] },
  ...more,
});
const noApp = { "GET /v2/apps/shop/pod": [404, { message: "App '/shop/pod' does not exist" }] } as const;
const missing = [404, { message: JSON.stringify({ message: "Pod '/shop/pod' does not exist" }) }] as const;
const there: Answers = {
  ...noApp,
  "GET /v2/pods/shop/pod::status": [200, status()],
  "GET /v2/pods/shop/pod": [200, served],
  "GET /v2/deployments": [200, []],
};

function parse(value: JsonObject) {
  const bytes = Buffer.from(JSON.stringify(value));
  return marathonFormat().parse({ path: encodePath("apps/pod.json"), bytes }, targetName("apps"));
}

it("reads a pod as a job", () => {
  const { jobs, problems } = parse({ ...spec, sluice: { dependsOn: ["./shop/db"] } });
  expect(problems).toEqual([]);
  expect(jobs.map((job) => [job.id, job.spec, job.options.dependsOn])).toEqual([
    [id, spec, ["apps/shop/db"]],
  ]);
});

it.each<[JsonObject, string]>([
  [{ instances: 2 }, 'instances unknown key "instances"'],
  [{ containers: [] }, "containers must hold at least one container"],
  [{ labels: { "sluice/owner": "me" } }, "labels.sluice/owner is Sluice's own mark; leave it out"],
  [{ containers: [{ name: "a" }, { name: "a" }] }, "containers.1.name is given twice: a"],
  [
    { containers: [{ name: "a", healthCheck: {} }] },
    "containers.0.healthCheck must hold exactly one of http, tcp and exec",
  ],
  [
    { containers: [{ name: "a", healthCheck: { tcp: { endpoint: "http" }, intervalSeconds: 100 } }] },
    "containers.0.healthCheck.tcp.endpoint no endpoint of the container is named http",
  ],
  [
    {
      containers: [
        {
          name: "a",
          healthCheck: { exec: { command: { shell: "x" } }, intervalSeconds: 5, timeoutSeconds: 5 },
        },
      ],
    },
    "containers.0.healthCheck.timeoutSeconds must be less than intervalSeconds",
  ],
  [
    { containers: [{ name: "a", volumeMounts: [{ name: "data", mountPath: "/d" }] }] },
    "containers.0.volumeMounts.0.name no volume of the pod is named data",
  ],
])("refuses a pod with %j", (change, expected) => {
  const said = ({ key, message }: Problem) => `${key ?? ""} ${message}`;
  expect(parse({ ...spec, ...change }).problems.map(said)).toEqual([expected]);
});

it.each<[string, JsonObject]>([
  ["as it is shown", {}],
  [
    "on 1.4, with its launch delay and no role",
    { role: null, scheduling: { backoff: { maxLaunchDelay: 3600 } } },
  ],
])("sees no difference to a pod %s", (_how, shown) => {
  expect(comparePods(spec, { ...served, ...shown }, [])).toEqual([]);
});

it.each<[JsonObject, string]>([
  [{ scaling: { kind: "fixed", instances: 3 } }, "scaling.instances"],
  [{ labels: { team: "shop" } }, "labels"],
  [{ networks: [{ mode: "container/bridge" }] }, "networks.0.mode"],
  [
    { scheduling: { upgrade: { minimumHealthCapacity: 0, maximumOverCapacity: 0 } } },
    "scheduling.upgrade.minimumHealthCapacity",
  ],
])("sees the difference of %j", (change, path) => {
  const found = comparePods({ ...spec, ...change }, served, []).map((one) => one.path);
  expect(found[0]).toBe(path);
  expect(comparePods({ ...spec, ...change }, served, [path.split(".")[0] ?? ""])).toEqual([]);
});

it.each<[JsonObject, boolean, string, string]>([
  [{}, false, "Healthy", "1 of 1 instances stable"],
  [{}, true, "Progressing", "1 of 1 instances stable; the deployment still runs"],
  [
    { status: "DEGRADED", instances: [{ status: "STAGING" }] },
    true,
    "Progressing",
    "0 of 1 instances stable",
  ],
  [
    { status: "DEGRADED", instances: [{ status: "DEGRADED" }] },
    false,
    "Degraded",
    "0 of 1 instances stable; 1 degraded",
  ],
  [
    {
      ...{ status: "DEGRADED", instances: [] },
      terminationHistory: [
        { terminatedAt: "2025-01-01T00:00:00.000Z", message: "of an earlier spec" },
        { terminatedAt: "2026-02-01T00:00:00.000Z", message: "died of hunter2" },
      ],
    },
    false,
    "Progressing",
    "0 of 1 instances stable; the last instance ended: died of •••",
  ],
  [{ spec: { ...served, scaling: { instances: 0 } }, instances: [] }, false, "Healthy", "scaled to 0"],
  [{ spec: { ...served, scaling: { instances: 0 } } }, true, "Progressing", "1 still stopping"],
])("observes %j, deploying %s, as %s", (more, deploying, health, message) => {
  expect(observePod(status(more), { deploying })).toEqual({ health, message });
});

it("lists pods by mark beside apps, and says who changes them", async () => {
  const foreign = { ...status(), id: "/other", spec: { ...served, id: "/other", labels: {} } };
  const { scheduler } = await fake({
    "GET /v2/apps": [200, { apps: [] }],
    "GET /v2/pods/::status": [200, [status(), foreign]],
    "GET /v2/deployments": [200, [{ id: "d", affectedApps: [], affectedPods: ["/shop/pod"] }]],
  });
  const listed = await scheduler.list({ mark: MARK });
  expect(listed.map((job) => [job.id, job.owner, job.version, job.observed.health])).toEqual([
    [id, MARK, `${T1} ${T1}`, "Progressing"],
  ]);
});

it.each([
  [404, { message: "URI not found: /v2/pods/::status" }, []],
  [500, { message: "URI not found" }, []],
])("does without pods where Marathon has none: %i %j", async (code, body, expected) => {
  const { scheduler } = await fake({
    "GET /v2/apps": [200, { apps: [] }],
    "GET /v2/pods/::status": [code, body],
  });
  expect(await scheduler.list({ mark: MARK })).toEqual(expected);
});

it.each([
  [404, { message: "no such page" }],
  [500, { message: "queue is full" }],
  [200, "<html></html>"],
  [200, [{ id: "/a" }]],
  [200, {}],
])("takes no list of pods from %i %j, and so no list at all", async (code, body) => {
  const { scheduler } = await fake({
    "GET /v2/apps": [200, { apps: [] }],
    "GET /v2/pods/::status": [code, body],
  });
  await expect(scheduler.list({ mark: MARK })).rejects.toMatchObject({ code: "SCHEDULER_UNREACHABLE" });
});

it("creates, replaces and removes a pod as a pod, marked and unforced", async () => {
  const { scheduler, seen } = await fake({
    ...there,
    "POST /v2/pods": [201, served],
    "PUT /v2/pods/shop/pod": [200, served],
    "DELETE /v2/pods/shop/pod": [202, ""],
  });
  const request = { id, spec, mark: MARK, ignore: [] };
  expect(await scheduler.apply({ ...request, live: undefined })).toEqual({ version: `${T1} ${T1}` });
  const [live] = await scheduler.list({ ids: [id] });
  await scheduler.apply({ ...request, live });
  await scheduler.remove({ id, mark: MARK });
  const body = { ...spec, labels: { "sluice/owner": MARK } };
  expect(seen.filter(([line]) => !line.startsWith("GET"))).toEqual([
    ["POST /v2/pods?force=false", body],
    ["PUT /v2/pods/shop/pod?force=false", body],
    ["DELETE /v2/pods/shop/pod?force=false", undefined],
  ]);
});

it("does not bring back a pod that is gone, though a PUT would", async () => {
  const { scheduler, lines } = await fake({ ...there, "GET /v2/pods/shop/pod": missing });
  const [live] = await scheduler.list({ ids: [id] });
  await expect(scheduler.apply({ id, spec, mark: MARK, live, ignore: [] })).rejects.toMatchObject({
    code: "SCHEDULER_CONFLICT",
  });
  expect(lines()).toEqual([]);
});

it("removes no pod without the mark, and counts one that is gone as removed", async () => {
  const { scheduler, lines } = await fake(there);
  await expect(scheduler.remove({ id, mark: "staging" })).rejects.toMatchObject({
    code: "SCHEDULER_CONFLICT",
  });
  const gone = await fake({ ...noApp, "GET /v2/pods/shop/pod::status": missing });
  await gone.scheduler.remove({ id, mark: MARK });
  expect([...lines(), ...gone.lines()]).toEqual([]);
});

it("never makes an app of a pod", async () => {
  const { scheduler, lines } = await fake(there);
  const [live] = await scheduler.list({ ids: [id] });
  const request = { id, spec: { id: "/shop/pod", cmd: "sleep" }, mark: MARK, live, ignore: [] };
  await expect(scheduler.apply(request)).rejects.toMatchObject({
    code: "SCHEDULER_INVALID",
    message: "/shop/pod is a pod in Marathon, not an app",
  });
  expect(marathonFormat().compare(request.spec, served, [])).toEqual([
    { path: "kind", from: "pod", to: "app" },
  ]);
  expect(lines()).toEqual([]);
});
