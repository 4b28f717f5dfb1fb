import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { groupMembers } from "../process/process-table.ts";
import { chronosFixture, eventually, jobsOf, send } from "./chronos-fixture.ts";
import type { EmbeddedChronos } from "./embedded-chronos.ts";

const { start, folder, clean } = chronosFixture();
afterEach(clean);

const NOW = "R1//PT1H";

async function post(chronos: EmbeddedChronos, ...jobs: Record<string, unknown>[]): Promise<void> {
  for (const job of jobs) {
    const path = "parents" in job ? "dependency" : "iso8601";
    expect((await send(chronos, `POST /v1/scheduler/${path}`, { retries: 0, ...job })).status).toBe(204);
  }
}

function jobWhere(chronos: EmbeddedChronos, name: string, field: string, value: unknown) {
  return eventually(
    async () => (await jobsOf(chronos))[name] ?? {},
    (job) => job[field] === value,
  );
}

async function history(
  chronos: EmbeddedChronos,
  name: string,
): Promise<{ status: string; message?: string }[]> {
  const { json } = await send(chronos, `GET /v1/scheduler/job/stat/${name}`);
  return (json as { taskStatHistory: { status: string; message?: string }[] }).taskStatHistory;
}

async function pidIn(file: string): Promise<number> {
  const text = await eventually(
    () => readFile(file, "utf8").catch(() => ""),
    (seen) => seen.endsWith("\n"),
  );
  return Number(text);
}

describe("a run as a local process", () => {
  it("has its environment and keeps its output in a sandbox", async () => {
    const dir = await folder();
    const chronos = await start({ environment: { PATH: "/usr/bin:/bin", LANG: "C", KEPT: "base" } });
    await post(chronos, {
      name: "env",
      command: `env > ${dir}/env; pwd > ${dir}/pwd; echo out; echo err >&2`,
      schedule: NOW,
      owner: "me@example.org",
      cpus: 0.5,
      environmentVariables: [
        { name: "MINE", value: "a b" },
        { name: "LANG", value: "C.UTF-8" },
        { name: "CHRONOS_JOB_NAME", value: "forged" },
      ],
    });
    await jobWhere(chronos, "env", "successCount", 1);
    const env = Object.fromEntries(
      (await readFile(join(dir, "env"), "utf8")).split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2)),
    );
    expect(env).toMatchObject({
      KEPT: "base",
      LANG: "C.UTF-8",
      MINE: "a b",
      CHRONOS_JOB_NAME: "env",
      CHRONOS_JOB_OWNER: "me@example.org",
      CHRONOS_RESOURCE_CPU: "0.5",
      CHRONOS_RESOURCE_MEM: "128",
      CHRONOS_RESOURCE_DISK: "256",
      CHRONOS_JOB_RUN_ATTEMPT: "0",
    });
    expect(env.mesos_task_id).toMatch(/^ct:\d{13}:0:env:$/);
    expect(env).not.toHaveProperty("HOME");
    const sandbox = (await readFile(join(dir, "pwd"), "utf8")).trim();
    expect(await readFile(join(sandbox, "stdout"), "utf8")).toBe("out\n");
    expect(await readFile(join(sandbox, "stderr"), "utf8")).toBe("err\n");
  });

  it("takes arguments instead of a shell when shell is false", async () => {
    const dir = await folder();
    const chronos = await start();
    await post(chronos, {
      name: "raw",
      command: "touch",
      shell: false,
      arguments: [`${dir}/a $HOME`],
      schedule: NOW,
    });
    await jobWhere(chronos, "raw", "successCount", 1);
    expect(existsSync(join(dir, "a $HOME"))).toBe(true);
  });

  it("fires its dependents, and counts a failure", async () => {
    const dir = await folder();
    const chronos = await start();
    await post(
      chronos,
      // Hidden until its parent is there, and then there before the parent has run.
      { name: "child", command: `touch ${dir}/child`, parents: ["good"] },
      { name: "good", command: "true", schedule: NOW },
      { name: "bad", command: "exit 3", schedule: NOW },
    );
    await jobWhere(chronos, "child", "successCount", 1);
    await jobWhere(chronos, "bad", "errorCount", 1);
    expect(existsSync(join(dir, "child"))).toBe(true);
    expect(await history(chronos, "bad")).toMatchObject([
      { status: "Fail", message: "Command exited with status 3" },
    ]);
  });

  it("gets local files, and fails for files elsewhere without telling the password", async () => {
    const dir = await folder();
    await writeFile(join(dir, "input.txt"), "hello\n");
    const chronos = await start();
    await post(
      chronos,
      {
        name: "local",
        command: `cp input.txt ${dir}/copy`,
        uris: [`file://${dir}/input.txt`],
        schedule: NOW,
      },
      { name: "remote", command: "true", fetch: [{ uri: "https://u:secret@host/x.tgz" }], schedule: NOW },
    );
    await jobWhere(chronos, "local", "successCount", 1);
    expect(await readFile(join(dir, "copy"), "utf8")).toBe("hello\n");
    await jobWhere(chronos, "remote", "errorCount", 1);
    expect(await history(chronos, "remote")).toMatchObject([
      { message: "Cannot fetch https://host/x.tgz: the embedded Chronos fetches local files only" },
    ]);
  });

  it("fails with a clear reason when there is only a container image to run", async () => {
    const chronos = await start();
    await post(chronos, { name: "image", container: { type: "DOCKER", image: "alpine:3" }, schedule: NOW });
    await jobWhere(chronos, "image", "errorCount", 1);
    expect(await history(chronos, "image")).toMatchObject([
      {
        message: "the job has no command, and the embedded Chronos does not run the container image alpine:3",
      },
    ]);
  });

  it("is killed with everything it started", async () => {
    const dir = await folder();
    const chronos = await start({ killGraceMs: 100 });
    await post(chronos, { name: "long", command: `sleep 600 & echo $$ > ${dir}/pid; wait`, schedule: NOW });
    const pid = await pidIn(join(dir, "pid"));
    expect(await groupMembers(pid)).toHaveLength(2);
    expect((await send(chronos, "DELETE /v1/scheduler/task/kill/long")).status).toBe(204);
    await eventually(
      () => history(chronos, "long"),
      ([run]) => run?.status === "Fail",
    );
    expect(await history(chronos, "long")).toMatchObject([{ message: "killed" }]);
    expect(await groupMembers(pid)).toEqual([]);
  });

  it("leaves no sandbox behind when its job is deleted", async () => {
    const dataDir = await folder();
    const chronos = await start({ dataDir });
    await post(chronos, { name: "gone", command: "echo hi", schedule: NOW });
    await jobWhere(chronos, "gone", "successCount", 1);
    expect(existsSync(join(dataDir, "sandboxes", "gone"))).toBe(true);
    await send(chronos, "DELETE /v1/scheduler/job/gone");
    await eventually(
      async () => existsSync(join(dataDir, "sandboxes", "gone")),
      (exists) => !exists,
    );
  });
});

describe("stopping", () => {
  it("ends every child process; the next start finds the run lost and its error counted", async () => {
    const [dir, dataDir] = [await folder(), await folder()];
    const first = await start({ dataDir, killGraceMs: 100 });
    await post(first, { name: "long", command: `echo $$ > ${dir}/pid; exec sleep 600`, schedule: NOW });
    const pid = await pidIn(join(dir, "pid"));
    await first.stop();
    expect(await groupMembers(pid)).toEqual([]);
    const second = await start({ dataDir });
    await jobWhere(second, "long", "errorCount", 1);
    expect(await history(second, "long")).toMatchObject([
      { status: "Fail", message: "Lost: the engine stopped during the run" },
    ]);
  });
});
