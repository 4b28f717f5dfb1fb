import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { manualClock } from "@sluice/core/testing";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { groupMembers, signalGroup } from "../process/process-table.ts";
import { chronosFixture, eventually, jobsOf, send } from "./chronos-fixture.ts";

const { start, folder, clean } = chronosFixture();
afterEach(clean);

const job = (name: string, more = {}) => ({
  name,
  command: "true",
  schedule: "R/2030-01-01T00:00:00Z/P1D",
  ...more,
});

describe("after a restart", () => {
  it("all jobs are there, in either generation, hidden ones too", async () => {
    const dataDir = await folder();
    const clock = manualClock();
    const first = await start({ dataDir, clock, execution: "simulated" });
    await send(first, "POST /v1/scheduler/dependency", {
      name: "hidden",
      command: "true",
      parents: ["missing"],
    });
    await send(first, "POST /v1/scheduler/dependency", { name: "z-child", command: "true", parents: ["a"] });
    await send(first, "POST /v1/scheduler/iso8601", job("a", { container: { image: "alpine" } }));
    await clock.advance(5);
    const before = await jobsOf(first);
    expect(Object.keys(before).sort()).toEqual(["a", "z-child"]);
    await first.stop();

    const second = await start({ dataDir, clock, execution: "simulated" });
    expect(await jobsOf(second)).toEqual(before);
    await send(second, "POST /v1/scheduler/iso8601", job("missing"));
    await clock.advance(5);
    expect(Object.keys(await jobsOf(second)).sort()).toEqual(["a", "hidden", "missing", "z-child"]);
  });

  it("a retry still comes, and parents' runs still count", async () => {
    const dataDir = await folder();
    const clock = manualClock();
    let healthy = false;
    const options = {
      dataDir,
      clock,
      execution: "simulated" as const,
      simulate: ({ job: { name } }: { job: { name: string } }) => ({
        durationMs: 0,
        outcome:
          healthy || name !== "bad"
            ? { state: "finished" as const }
            : { state: "failed" as const, message: "no" },
      }),
    };
    const first = await start(options);
    for (const name of ["bad", "a", "b"]) await send(first, "POST /v1/scheduler/iso8601", job(name));
    await send(first, "POST /v1/scheduler/dependency", {
      name: "child",
      command: "true",
      parents: ["a", "b"],
    });
    await clock.advance(5);
    for (const name of ["bad", "a"]) await send(first, `PUT /v1/scheduler/job/${name}`);
    await eventually(
      async () => (await send(first, "GET /v1/scheduler/job/stat/bad")).text,
      (text) => text.includes('"Fail"'),
    );
    await eventually(
      () => jobsOf(first),
      (seen) => seen.a?.successCount === 1,
    );
    await first.stop();

    healthy = true;
    const second = await start(options);
    await send(second, "PUT /v1/scheduler/job/b");
    await eventually(
      () => jobsOf(second),
      (seen) => seen.child?.successCount === 1,
    );
    expect((await jobsOf(second)).bad).toMatchObject({ successCount: 0, errorCount: 0 });
    await clock.advance(60_000);
    await eventually(
      () => jobsOf(second),
      (seen) => seen.bad?.successCount === 1,
    );
  });

  it("a deleted job stays away", async () => {
    const dataDir = await folder();
    const clock = manualClock();
    const first = await start({ dataDir, clock, execution: "simulated" });
    for (const name of ["a", "b"]) await send(first, "POST /v1/scheduler/iso8601", job(name));
    await clock.advance(5);
    await send(first, "DELETE /v1/scheduler/job/a");
    await first.stop();
    const second = await start({ dataDir, clock, execution: "simulated" });
    expect(Object.keys(await jobsOf(second))).toEqual(["b"]);
  });
});

/** Runs `script` after starting an engine on `dataDir` in a process of its own; `chronos` and `post` are in scope. */
function elsewhere(
  dataDir: string,
  options: string,
  script: string,
): ChildProcessByStdio<null, Readable, null> {
  const module = fileURLToPath(new URL("./embedded-chronos.ts", import.meta.url));
  const whole = `
    const { embeddedChronos } = await import(${JSON.stringify(module)});
    const chronos = await embeddedChronos({ dataDir: ${JSON.stringify(dataDir)}, ${options} });
    const headers = { "content-type": "application/json" };
    const post = (job) => fetch(chronos.address + "/v1/scheduler/iso8601", { method: "POST", body: JSON.stringify(job), headers });
    ${script}`;
  const args = ["--conditions=source", "--import", "tsx", "--input-type=module", "-e", whole];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

describe("after kill -9", () => {
  it("everything that was acknowledged is there", async () => {
    const dataDir = await folder();
    const child = elsewhere(
      dataDir,
      'execution: "simulated"',
      `for (let n = 0; ; n++) {
        const job = { name: "job-" + n, command: "true", schedule: "R/2030-01-01T00:00:00Z/P1D" };
        if ((await post(job)).status === 204) console.log(n);
      }`,
    );
    let acknowledged = -1;
    for await (const line of createInterface(child.stdout)) {
      acknowledged = Number(line);
      if (acknowledged === 50) child.kill("SIGKILL");
    }
    const chronos = await start({ dataDir, execution: "simulated" });
    const names = Object.keys(await jobsOf(chronos));
    expect(acknowledged).toBeGreaterThanOrEqual(50);
    for (let n = 0; n <= acknowledged; n++) expect(names).toContain(`job-${n}`);
  });

  it("a run left behind is stopped and counted as failed", async () => {
    const dataDir = await folder();
    const pidFile = join(dataDir, "pid");
    const job = {
      name: "long",
      command: `echo $$ > ${pidFile}; exec sleep 600`,
      schedule: "R1//PT1H",
      retries: 0,
    };
    const child = elsewhere(
      dataDir,
      "",
      `await post(${JSON.stringify(job)}); setInterval(() => undefined, 1000);`,
    );
    const pid = await eventually(
      async () => Number(await readFile(pidFile, "utf8").catch(() => "")),
      (seen) => seen > 0,
    );
    onTestFinished(() => signalGroup(pid, "SIGKILL"));
    // The shell may write its pid before the engine has written its own note of the process.
    await eventually(
      async () => existsSync(join(dataDir, "processes", `${pid}.json`)),
      (noted) => noted,
    );
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await groupMembers(pid)).toHaveLength(1);
    const chronos = await start({ dataDir });
    await eventually(
      () => jobsOf(chronos),
      (seen) => seen.long?.errorCount === 1,
    );
    expect(await groupMembers(pid)).toEqual([]);
  });
});
