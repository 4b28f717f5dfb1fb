import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { groupMembers } from "../../process/process-table.ts";
import { embeddedMarathon } from "../embedded-marathon.ts";
import { type MarathonUnderTest, marathonUnderTest } from "../marathon-under-test.ts";

let marathon: MarathonUnderTest;
beforeEach(async () => {
  marathon = await marathonUnderTest({ execution: "process" });
});
afterEach(() => marathon.close());

/** A server on $PORT that answers every path with the given status, the text and its pid. */
function webServer(text: string, status = 200): string {
  const code = `require("http").createServer((q, r) => { r.statusCode = ${status}; r.end("${text} " + process.pid) }).listen(process.env.PORT0, "127.0.0.1")`;
  return `exec '${process.execPath}' -e '${code}'`;
}

const CHECK = { protocol: "HTTP", path: "/", intervalSeconds: 1, gracePeriodSeconds: 60, timeoutSeconds: 5 };

async function app(id = "/web") {
  return (await marathon.call("GET", `/v2/apps${id}`)).body.app;
}

async function put(body: object, id = "/web") {
  const reply = await marathon.call("PUT", `/v2/apps${id}?partialUpdate=false`, body);
  expect([200, 201]).toContain(reply.status);
  return reply;
}

function pidsIn(sandboxes: string, task: { id: string; appId: string }): number[] {
  const file = join(sandboxes, task.appId.slice(1).replaceAll("/", "_"), task.id, "stdout");
  return readFileSync(file, "utf8").trim().split(/\s+/).map(Number);
}

const waitFor = <Result>(look: () => Promise<Result>) => vi.waitFor(look, { timeout: 15_000, interval: 20 });

describe("an app with a health check", () => {
  it("runs, becomes healthy, rolls to a new version and scales", async () => {
    await put({ cmd: webServer("one"), instances: 2, healthChecks: [CHECK] });
    await marathon.settled();
    const first = await app();
    expect(first).toMatchObject({ tasksRunning: 2, tasksHealthy: 2, tasksUnhealthy: 0 });
    const result = first.tasks[0].healthCheckResults[0];
    expect(Object.keys(result).sort()).toEqual([
      "alive",
      "consecutiveFailures",
      "firstSuccess",
      "instanceId",
      "lastSuccess",
    ]);
    const answer = await fetch(`http://127.0.0.1:${first.tasks[0].ports[0]}/`);
    expect(await answer.text()).toMatch(/^one /);

    await put({ cmd: webServer("two"), instances: 2, healthChecks: [CHECK] });
    await marathon.settled();
    const second = await app();
    expect(second.tasksHealthy).toBe(2);
    const old = first.tasks.map((task: { id: string }) => task.id);
    expect(second.tasks.filter((task: { id: string }) => old.includes(task.id))).toEqual([]);
    for (const task of second.tasks)
      expect(await (await fetch(`http://127.0.0.1:${task.ports[0]}/`)).text()).toMatch(/^two /);

    await marathon.call("PUT", "/v2/apps/web", { instances: 1 });
    await marathon.settled();
    expect(await app()).toMatchObject({ tasksRunning: 1, tasksHealthy: 1 });
  });

  it("has an unhealthy task killed and replaced", async () => {
    const events = await marathon.events(
      "?event_type=unhealthy_instance_kill_event&event_type=failed_health_check_event",
    );
    await put({
      cmd: webServer("sick", 500),
      healthChecks: [{ ...CHECK, gracePeriodSeconds: 0, intervalSeconds: 0, maxConsecutiveFailures: 2 }],
    });
    await waitFor(async () => expect(events.some((one) => one.eventType.startsWith("unhealthy"))).toBe(true));
    const kinds = events.map((one) => one.eventType);
    expect(kinds.slice(0, kinds.indexOf("unhealthy_instance_kill_event"))).toEqual([
      "failed_health_check_event",
      "failed_health_check_event",
      "failed_health_check_event",
    ]);
    expect((await app()).lastTaskFailure).toMatchObject({
      appId: "/web",
      state: "TASK_KILLED",
      message: "Task was killed since health check failed. Reason: HTTP status 500",
    });
    const killed = events.find((one) => one.eventType.startsWith("unhealthy"))?.instanceId;
    await waitFor(async () => {
      const ids = (await app()).tasks.map((task: { id: string }) => task.id);
      expect(ids.filter((id: string) => !id.startsWith(String(killed)))).not.toEqual([]);
    });
  });

  it.each([
    ["a connection", { protocol: "TCP" }],
    ["a command", { protocol: "COMMAND", command: { value: 'test -n "$MESOS_TASK_ID" && test -f ready' } }],
  ])("may be checked by %s", async (_, check) => {
    await put({
      cmd: `touch ready; ${webServer("x")}`,
      healthChecks: [{ ...CHECK, ...check, path: undefined }],
    });
    await marathon.settled();
    expect((await app()).tasksHealthy).toBe(1);
  });

  it("is not deployed before it is ready, where readiness is asked", async () => {
    const gate = createServer((_, response) => response.writeHead(open ? 200 : 503).end("later"));
    let open = false;
    await new Promise<void>((resolve) => gate.listen(0, "127.0.0.1", resolve));
    const { port } = gate.address() as { port: number };
    await put({
      cmd: "exec sleep 300",
      requirePorts: true,
      portDefinitions: [{ port, name: "admin" }],
      readinessChecks: [
        { portName: "admin", intervalSeconds: 2, timeoutSeconds: 1, preserveLastResponse: true },
      ],
    });
    await waitFor(async () => {
      const [deployment] = (await marathon.call("GET", "/v2/deployments")).body;
      expect(deployment.currentActions[0].readinessCheckResults).toMatchObject([
        { name: "readinessCheck", ready: false },
      ]);
    });
    open = true;
    await marathon.settled();
    await new Promise((resolve) => gate.close(resolve));
  });
});

describe("a task", () => {
  it("gets Marathon's environment and the app's, and nothing of the engine's", async () => {
    await put({
      cmd: "env; exec sleep 300",
      env: { GREETING: "hello", HOME: "/nowhere" },
      labels: { "my.label": "x y" },
      portDefinitions: [{ port: 0, name: "http-api" }, { port: 15000 }],
      cpus: 0.5,
    });
    await marathon.settled();
    const [task] = (await app()).tasks;
    const file = join(marathon.server.sandboxes, "web", task.id, "stdout");
    const lines = await waitFor(async () => {
      const text = readFileSync(file, "utf8");
      expect(text).toMatch(/GREETING/);
      return text.trim().split("\n");
    });
    const { PWD, SLUICE_PROCESS, MESOS_SANDBOX, LANG, PATH, ...env } = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    expect([PWD, PATH]).toEqual([MESOS_SANDBOX, process.env.PATH]);
    expect(SLUICE_PROCESS).toMatch(/^[0-9a-f-]{36}$/);
    expect(LANG).toBeDefined();
    const [first, second] = task.ports.map(String);
    const { version } = await app();
    expect(env).toEqual({
      HOME: "/nowhere",
      GREETING: "hello",
      HOST: "127.0.0.1",
      MESOS_TASK_ID: task.id,
      MARATHON_APP_ID: "/web",
      MARATHON_APP_VERSION: version,
      MARATHON_APP_RESOURCE_CPUS: "0.5",
      MARATHON_APP_RESOURCE_MEM: "128.0",
      MARATHON_APP_RESOURCE_DISK: "0.0",
      MARATHON_APP_RESOURCE_GPUS: "0",
      MARATHON_APP_LABELS: "MY_LABEL",
      MARATHON_APP_LABEL_MY_LABEL: "x y",
      PORT: first,
      PORT0: first,
      PORT1: second,
      PORTS: `${first},${second}`,
      PORT_10000: first,
      PORT_HTTP_API: first,
      PORT_15000: second,
    });
  });

  it("that crashes is relaunched after a growing delay, which can be cut short", async () => {
    await put({
      cmd: "echo oops >&2; exit 7",
      backoffSeconds: 600,
      backoffFactor: 2,
      maxLaunchDelaySeconds: 3600,
    });
    const failure = await waitFor(async () => {
      const { lastTaskFailure } = await app();
      expect(lastTaskFailure).toMatchObject({
        appId: "/web",
        host: "127.0.0.1",
        message: "Command exited with status 7",
        state: "TASK_FAILED",
      });
      return lastTaskFailure;
    });
    const queue = async () => (await marathon.call("GET", "/v2/queue")).body.queue;
    const [waiting] = await queue();
    expect(waiting).toMatchObject({ count: 1, delay: { overdue: false }, app: { id: "/web" } });
    expect(waiting.delay.timeLeftSeconds).toBeGreaterThan(500);
    expect((await marathon.call("DELETE", "/v2/queue//web/delay")).status).toBe(204);
    await waitFor(async () => expect((await app()).lastTaskFailure.taskId).not.toBe(failure.taskId));
    await waitFor(async () => expect(await queue()).toHaveLength(1));
  });

  it("of an app with only an image waits, saying why", async () => {
    await put({ container: { type: "DOCKER", docker: { image: "nginx" } } });
    const { queue } = (await marathon.call("GET", "/v2/queue")).body;
    expect(queue[0].processedOffersSummary.rejectSummaryLastOffers).toEqual([
      { reason: "NoContainerRuntime", declined: 1, processed: 1 },
    ]);
    expect(await app()).toMatchObject({ tasksStaged: 0, tasksRunning: 0 });
  });

  it("is given the files it fetches", async () => {
    const file = join(marathon.dataDir, "tool");
    writeFileSync(file, "#!/bin/sh\necho fetched; exec sleep 300\n");
    await put({ args: ["./tool"], fetch: [{ uri: file, executable: true }] });
    await marathon.settled();
    const [task] = (await app()).tasks;
    await waitFor(async () =>
      expect(readFileSync(join(marathon.server.sandboxes, "web", task.id, "stdout"), "utf8")).toBe(
        "fetched\n",
      ),
    );
    await put({ cmd: "sleep 300", fetch: [{ uri: "http://example.com/x" }] }, "/far");
    await waitFor(async () =>
      expect((await app("/far")).lastTaskFailure.message).toBe(
        "Failed to fetch http://example.com/x: only files of this machine can be fetched",
      ),
    );
  });

  it("is gone after DELETE with everything it started", async () => {
    await put({ cmd: "echo $$; sh -c 'sleep 300 & wait' & sleep 300 & wait" });
    await marathon.settled();
    const [task] = (await app()).tasks;
    const [pid = 0] = await waitFor(async () => {
      const pids = pidsIn(marathon.server.sandboxes, task);
      expect(await groupMembers(pids[0] ?? 0)).toHaveLength(4);
      return pids;
    });
    await marathon.call("DELETE", "/v2/apps/web");
    await marathon.settled();
    expect(await groupMembers(pid)).toEqual([]);
  });
});

describe("the server", () => {
  it("stops every process when it stops, and runs the apps again when it starts", async () => {
    await put({ cmd: "echo $$; exec sleep 300", instances: 2 });
    await marathon.settled();
    const { tasks } = await app();
    const pids = await waitFor(async () => {
      const found: number[] = tasks.flatMap((task: never) => pidsIn(marathon.server.sandboxes, task));
      expect(found.every((pid) => pid > 1)).toBe(true);
      return found;
    });
    await marathon.restart();
    for (const pid of pids) expect(await groupMembers(pid)).toEqual([]);
    await waitFor(async () => expect((await app()).tasksRunning).toBe(2));
  });

  it("that was killed leaves processes which the next one stops", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "sluice-marathon-"));
    const module = fileURLToPath(new URL("../embedded-marathon.ts", import.meta.url));
    const script = `import { embeddedMarathon } from ${JSON.stringify(module)};
      const server = await embeddedMarathon({ dataDir: ${JSON.stringify(dataDir)} });
      const body = JSON.stringify({ id: "/web", cmd: "echo $$; exec sleep 300" });
      await fetch(server.address + "/v2/apps", { method: "POST", headers: { "content-type": "application/json" }, body });
      for (;;) {
        const { tasks } = await (await fetch(server.address + "/v2/apps/web/tasks")).json();
        if (tasks[0]?.state === "TASK_RUNNING") { console.log(JSON.stringify(tasks[0])); break; }
      }`;
    const engine = spawn(
      process.execPath,
      ["--conditions=source", "--import", "tsx", "--input-type=module", "-e", script],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const line = await new Promise<string>((resolve) =>
      engine.stdout.once("data", (chunk) => resolve(String(chunk))),
    );
    const [pid = 0] = await waitFor(async () => {
      const pids = pidsIn(join(dataDir, "sandboxes"), JSON.parse(line));
      expect(pids[0]).toBeGreaterThan(1);
      return pids;
    });
    const over = new Promise((resolve) => engine.once("exit", resolve));
    engine.kill("SIGKILL");
    await over;
    expect(await groupMembers(pid)).toEqual([pid]);

    const next = await embeddedMarathon({ dataDir, stopGraceMs: 200 });
    expect(await groupMembers(pid)).toEqual([]);
    const { app } = (await (await fetch(`${next.address}/v2/apps/web`)).json()) as { app: { id: string } };
    expect(app.id).toBe("/web");
    await next.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it.each([
    [
      "the folder cannot be written",
      "file/below",
      /^The data folder \S+\/file\/below cannot be written: ENOTDIR/,
    ],
    ["the port is taken", "data", /^Cannot listen on 127\.0\.0\.1:\d+: the port is taken$/],
  ])("does not start when %s, and says so", async (_, folder, message) => {
    writeFileSync(join(marathon.dataDir, "file"), "");
    const { port } = marathon.server;
    const dataDir = join(marathon.dataDir, folder);
    await expect(embeddedMarathon({ dataDir, port })).rejects.toThrow(message);
  });
});
