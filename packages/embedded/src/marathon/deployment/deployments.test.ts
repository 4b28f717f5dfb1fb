import { afterEach, describe, expect, it, vi } from "vitest";
import { type MarathonUnderTest, marathonUnderTest } from "../marathon-under-test.ts";
import type { EmbeddedMarathonOptions } from "../options.ts";

let marathon: MarathonUnderTest;
afterEach(() => marathon.close());

/** Tasks that never come up: a deployment that starts some runs for ever. */
const STUCK: Partial<EmbeddedMarathonOptions> = { startDelayMs: 600_000 };

async function begin(options: Partial<EmbeddedMarathonOptions> = {}) {
  marathon = await marathonUnderTest(options);
}

async function apps() {
  const { body } = await marathon.call("GET", "/v2/apps");
  return Object.fromEntries(body.apps.map((one: { id: string }) => [one.id, one]));
}

function types(events: { eventType: string }[]) {
  return events.map((event) => event.eventType);
}

describe("a write to an app that is being deployed", () => {
  it("is refused with 409, and told of as failed", async () => {
    await begin(STUCK);
    const first = await marathon.call("POST", "/v2/apps", { id: "/web", cmd: "run it" });
    const events = await marathon.events();
    const reply = await marathon.call("PUT", "/v2/apps/web", { cmd: "run that" });
    expect([reply.status, reply.body]).toEqual([
      409,
      {
        message:
          "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.",
        deployments: [{ id: first.body.deployments[0].id }],
      },
    ]);
    await vi.waitFor(() =>
      expect(types(events)).toEqual(["event_stream_attached", "group_change_failed", "deployment_failed"]),
    );
    expect((await apps())["/web"].cmd).toBe("run it");
  });

  it("cancels the deployment when forced", async () => {
    await begin(STUCK);
    const first = await marathon.call("POST", "/v2/apps", { id: "/web", cmd: "run it" });
    const events = await marathon.events("?event_type=deployment_failed");
    const second = await marathon.call("PUT", "/v2/apps/web?force=true", { cmd: "run that" });
    expect(second.status).toBe(200);
    const running = (await marathon.call("GET", "/v2/deployments")).body;
    expect(running.map((one: { id: string }) => one.id)).toEqual([second.body.deploymentId]);
    await vi.waitFor(() =>
      expect(events).toMatchObject([
        { id: first.body.deployments[0].id, reason: "The upgrade has been cancelled" },
      ]),
    );
  });

  it("goes through when nothing differs, as an empty plan", async () => {
    await begin(STUCK);
    await marathon.call("POST", "/v2/apps", { id: "/web", cmd: "run it" });
    expect((await marathon.call("PUT", "/v2/apps/web", { cmd: "run it" })).status).toBe(200);
    expect((await marathon.call("GET", "/v2/deployments")).body).toHaveLength(1);
  });

  it("does not hold other apps back", async () => {
    await begin(STUCK);
    await marathon.call("POST", "/v2/apps", { id: "/web", cmd: "run it" });
    expect((await marathon.call("POST", "/v2/apps", { id: "/web2", cmd: "run it" })).status).toBe(201);
  });
});

describe("DELETE /v2/apps/{id}", () => {
  it("forces unless told otherwise; the app is gone at once", async () => {
    await begin(STUCK);
    await marathon.call("POST", "/v2/apps", { id: "/g/web", cmd: "run it" });
    expect((await marathon.call("DELETE", "/v2/apps/g/web?force=false")).status).toBe(409);
    const reply = await marathon.call("DELETE", "/v2/apps/g/web");
    expect([reply.status, reply.headers["marathon-deployment-id"]]).toEqual([200, reply.body.deploymentId]);
    expect((await marathon.call("GET", "/v2/apps/g/web")).status).toBe(404);
    await marathon.settled();
    expect((await marathon.call("GET", "/v2/tasks")).body.tasks).toEqual([]);
    expect((await marathon.call("GET", "/v2/apps/g/*")).body).toEqual({ "*": [] });
  });

  it("drops the version history", async () => {
    await begin();
    const { version } = (await marathon.call("POST", "/v2/apps", { id: "/web", cmd: "run it" })).body;
    await marathon.settled();
    await marathon.call("DELETE", "/v2/apps/web");
    await marathon.settled();
    await marathon.call("POST", "/v2/apps", { id: "/web", cmd: "run it" });
    expect((await marathon.call("GET", `/v2/apps/web/versions/${version}`)).status).toBe(404);
  });
});

describe("DELETE /v2/deployments/{id}", () => {
  it("brings back what the deployment changed, and removes what it added", async () => {
    await begin(STUCK);
    await marathon.call("PUT", "/v2/apps", [{ id: "/web", cmd: "run it", instances: 0 }]);
    await marathon.settled();
    const reply = await marathon.call("PUT", "/v2/apps", [
      { id: "/web", cmd: "run that", instances: 1 },
      { id: "/new", cmd: "run new" },
    ]);
    const rollback = await marathon.call("DELETE", `/v2/deployments/${reply.body.deploymentId}`);
    expect([rollback.status, Object.keys(rollback.body).sort()]).toEqual([200, ["deploymentId", "version"]]);
    expect(rollback.headers["marathon-deployment-id"]).toBe(rollback.body.deploymentId);
    await marathon.settled();
    const all = await apps();
    expect(Object.keys(all)).toEqual(["/web"]);
    expect(all["/web"]).toMatchObject({ cmd: "run it", instances: 0 });
  });

  it("with force only ends it, with 202 and no body", async () => {
    await begin(STUCK);
    const { body } = await marathon.call("POST", "/v2/apps", { id: "/web", cmd: "run it" });
    const reply = await marathon.call("DELETE", `/v2/deployments/${body.deployments[0].id}?force=true`);
    expect([reply.status, reply.body, reply.headers["marathon-deployment-id"]]).toEqual([202, "", undefined]);
    await marathon.settled();
    expect((await apps())["/web"].cmd).toBe("run it");
  });
});

it("refuses every write, also forced ones, when too many deployments run", async () => {
  await begin({ ...STUCK, maxRunningDeployments: 1 });
  const { body } = await marathon.call("POST", "/v2/apps", { id: "/a", cmd: "run it" });
  for (const path of ["/v2/apps/a?force=true", "/v2/apps/b"]) {
    const reply = await marathon.call("PUT", path, { cmd: "run that" });
    expect([reply.status, reply.body.message]).toEqual([
      403,
      expect.stringMatching(/^Max number \(1\) of running deployments is achieved\./),
    ]);
  }
  const [deployment] = body.deployments;
  expect((await marathon.call("DELETE", `/v2/deployments/${deployment.id}`)).status).toBe(403);
  expect((await marathon.call("DELETE", `/v2/deployments/${deployment.id}?force=true`)).status).toBe(202);
});

describe("the event stream", () => {
  it("tells of a creation in order", async () => {
    await begin();
    const events = await marathon.events();
    await marathon.call("POST", "/v2/apps", {
      id: "/g/web",
      cmd: "run it",
      healthChecks: [{ protocol: "TCP" }],
    });
    await vi.waitFor(() => expect(types(events)).toContain("deployment_success"));
    expect(
      events.map((one) => [one.eventType, one.condition ?? one.taskStatus].filter(Boolean).join(" ")),
    ).toEqual([
      "event_stream_attached",
      "group_change_success",
      "api_post_event",
      "deployment_info",
      "deployment_step_success",
      "deployment_info",
      "instance_changed_event Provisioned",
      "instance_changed_event Staging",
      "instance_changed_event Starting",
      "status_update_event TASK_STARTING",
      "instance_changed_event Running",
      "status_update_event TASK_RUNNING",
      "deployment_step_success",
      "deployment_success",
    ]);
    expect(events[1]).toMatchObject({ groupId: "/g" });
    expect(events[2]).toMatchObject({
      uri: "/v2/apps",
      clientIp: "127.0.0.1",
      appDefinition: { id: "/g/web" },
    });
    expect(events[3]).toMatchObject({
      currentStep: { actions: [{ action: "StartApplication", app: "/g/web" }] },
    });
    expect(Object.keys(events.at(-1) ?? {}).sort()).toEqual(["eventType", "id", "plan", "timestamp"]);
  });

  it("tells of an empty plan only that it was accepted and is done", async () => {
    await begin();
    await marathon.call("PUT", "/v2/apps/web", { cmd: "run it" });
    await marathon.settled();
    const events = await marathon.events(
      "?event_type=deployment_success&event_type=group_change_success&event_type=deployment_info",
    );
    await marathon.call("PUT", "/v2/apps/web", { cmd: "run it" });
    await vi.waitFor(() => expect(types(events)).toEqual(["group_change_success", "deployment_success"]));
  });

  it("is only for those who accept one", async () => {
    await begin();
    const reply = await marathon.call("GET", "/v2/events");
    expect([reply.status, reply.headers["content-type"]]).toEqual([405, "text/html"]);
  });
});

describe("killing tasks", () => {
  async function tasksOf(id: string) {
    const { body } = await marathon.call("GET", `/v2/apps${id}/tasks`);
    return body.tasks.map((one: { id: string }) => one.id).sort() as string[];
  }

  async function three() {
    await begin();
    await marathon.call("POST", "/v2/apps", { id: "/web", cmd: "run it", instances: 3 });
    await marathon.settled();
    return tasksOf("/web");
  }

  it("replaces one under the same instance id, with the next incarnation", async () => {
    const [first = "", ...others] = await three();
    const reply = await marathon.call("DELETE", `/v2/apps/web/tasks/${first}`);
    expect([reply.status, reply.body.task.id]).toEqual([200, first]);
    const next = first.replace(/\.1$/, ".2");
    await vi.waitFor(async () => expect(await tasksOf("/web")).toEqual([next, ...others].sort()));
    expect((await marathon.call("GET", "/v2/deployments")).body).toEqual([]);
  });

  it("gives a new instance when wiped", async () => {
    const tasks = await three();
    const reply = await marathon.call("DELETE", "/v2/apps/web/tasks?wipe=true");
    expect(reply.body.tasks.map((one: { id: string }) => one.id).sort()).toEqual(tasks);
    await vi.waitFor(async () => {
      const now = await tasksOf("/web");
      expect(now).toHaveLength(3);
      expect(now.filter((id) => tasks.includes(id))).toEqual([]);
      expect(now.every((id) => id.endsWith("._app.1"))).toBe(true);
    });
  });

  it("scales down by those killed", async () => {
    const [first = "", second = "", third = ""] = await three();
    const reply = await marathon.call("POST", "/v2/tasks/delete?scale=true", { ids: [first, third] });
    expect([reply.status, Object.keys(reply.body).sort()]).toEqual([200, ["deploymentId", "version"]]);
    await marathon.settled();
    expect(await tasksOf("/web")).toEqual([second]);
    expect((await apps())["/web"].instances).toBe(1);
  });

  it.each([
    [
      "DELETE",
      "/v2/apps/web/tasks?scale=true&wipe=true",
      undefined,
      400,
      "You cannot use scale and wipe at the same time.",
    ],
    ["POST", "/v2/tasks/delete", { ids: ["nonsense"] }, 400, "Invalid task id 'nonsense'."],
    ["DELETE", "/v2/apps/web/tasks/x", undefined, 404, "Task 'x' does not exist"],
  ])("%s %s is refused", async (method, path, body, status, message) => {
    await three();
    const reply = await marathon.call(method, path, body);
    expect([reply.status, reply.body]).toEqual([status, { message }]);
  });
});

describe("the queue", () => {
  it("says what a launch waits for", async () => {
    await begin({ capacity: { cpus: 2 } });
    await marathon.call("POST", "/v2/apps", { id: "/web", cmd: "run it", instances: 3, constraints: [] });
    const { queue } = (await marathon.call("GET", "/v2/queue")).body;
    expect(queue).toMatchObject([
      {
        count: 1,
        role: "*",
        delay: { timeLeftSeconds: 0, overdue: true },
        processedOffersSummary: {
          rejectSummaryLastOffers: [{ reason: "InsufficientCpus", declined: 1, processed: 1 }],
        },
        app: { id: "/web" },
      },
    ]);
    await marathon.call("PUT", "/v2/apps/web?force=true", { instances: 2 });
    await marathon.settled();
    expect((await marathon.call("GET", "/v2/queue")).body).toEqual({ queue: [] });
  });
});

it("takes its apps and running deployments up again after a restart", async () => {
  await begin();
  await marathon.call("POST", "/v2/apps", { id: "/a", cmd: "run it", instances: 2 });
  await marathon.settled();
  const before = (await marathon.call("GET", "/v2/apps/a")).body.app;
  await marathon.restart();
  const after = (await marathon.call("GET", "/v2/apps/a")).body.app;
  expect({ ...after, tasks: [] }).toEqual({ ...before, tasks: [] });
  expect(after.tasks).toHaveLength(2);
});

it("continues a deployment after a restart", async () => {
  await begin({ startDelayMs: 300 });
  const { body } = await marathon.call("PUT", "/v2/apps", [
    { id: "/a", cmd: "run it" },
    { id: "/b", cmd: "run it", dependencies: ["/a"] },
  ]);
  await marathon.restart();
  const running = (await marathon.call("GET", "/v2/deployments")).body;
  expect(running.map((one: { id: string }) => one.id)).toEqual([body.deploymentId]);
  await marathon.settled();
  const all = await apps();
  expect([all["/a"].tasksRunning, all["/b"].tasksRunning]).toEqual([1, 1]);
});
