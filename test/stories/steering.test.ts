import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cloneDeployRepo, type DeployClone } from "../harness/deploy-clone.ts";
import { BIN, COMMAND_ENV, collect, removeEngine, startEngine, type TestEngine } from "../harness/engine.ts";
import { eventually } from "../harness/eventually.ts";

const sleeper = (id: string, more = "") => `id: /${id}\ncmd: exec sleep 1000\ncpus: 0.1\nmem: 16\n${more}`;
const JOBS = ["a", "b", "c", "d", "e", "f", "g", "h"];

let engine: TestEngine;
let clone: DeployClone;
beforeAll(async () => {
  engine = await startEngine();
  clone = await cloneDeployRepo(engine.repositoryUrl);
  await mkdir(join(clone.folder, "apps"));
  for (const id of JOBS) await clone.write(`apps/${id}.yaml`, sleeper(id));
  await clone.push("eight sleepers");
});
afterAll(async () => {
  await clone?.cleanUp();
  await removeEngine(engine);
});

async function app(id: string): Promise<{ instances: number } | undefined> {
  const answer = await fetch(`${engine.marathon}/v2/apps/${id}`);
  return answer.ok ? ((await answer.json()) as { app: { instances: number } }).app : undefined;
}

describe("suspend and resume", () => {
  it("a suspended job is left alone, says who did it and why, and is deployed once it is resumed", async () => {
    const told = await engine.sluice("suspend", "--job", "apps/a", "--why", "disk is being replaced");
    expect(told.code).toBe(0);
    expect(told.output).toMatch(
      /^◎ job apps\/a is suspended by \S+@\S+ since \S+Z: disk is being replaced\n$/,
    );
    await clone.write("apps/a.yaml", sleeper("a", "instances: 2\n"));
    await clone.push("two of a");
    const status = await eventually("the job says that it is suspended", async () => {
      const ran = await engine.sluice("status");
      return /apps\/a +OutOfSync +Healthy +\S+ +\S+ +Suspended/.test(ran.output) ? ran : undefined;
    });
    expect(status.code).toBe(1);
    expect(status.output).toMatch(/\n◎ job apps\/a is suspended by \S+ since \S+: disk is being replaced\n/);
    expect((await app("a"))?.instances).toBe(1);
    const resumed = await engine.sluice("resume", "production", "--job", "apps/a");
    expect(resumed).toEqual({ code: 0, output: "✔ resumed\n" });
    expect((await engine.sluice("sync", "--wait")).code).toBe(0);
    expect((await app("a"))?.instances).toBe(2);
    expect((await engine.sluice("status")).code).toBe(0);
  });

  it("names that are wrong are answered with what is meant, and nothing changes", async () => {
    const job = await engine.sluice("suspend", "--job", "apps/aa");
    expect([job.code, job.output]).toEqual([2, expect.stringMatching(/has no job "apps\/aa"/)]);
    const target = await engine.sluice("suspend", "--target", "app");
    expect(target.output).toMatch(/has no target "app" \(did you mean "apps"\?\); it has apps, cron/);
    await engine.sluice("suspend", "--target", "apps");
    const resume = await engine.sluice("resume", "--job", "apps/a");
    expect([resume.code, resume.output]).toEqual([
      2,
      expect.stringMatching(/its target is: resume it with --target apps/),
    ]);
    expect((await engine.sluice("resume", "--all")).output).toBe("✔ resumed\n");
    const environment = await engine.sluice("suspend", "prod");
    expect(environment.output).toMatch(/there is no environment "prod"/);
  });
});

describe("sync --wait", () => {
  it("ends with the outcome of this sync, not with what was known before", async () => {
    const first = await engine.sluice("sync", "--wait");
    expect(first.code).toBe(0);
    expect(first.output).toMatch(/^✔ main@sha1:[0-9a-f]{8}: 8 of 8 jobs healthy \(.*\)\n$/);
    await fetch(`${engine.marathon}/v2/apps/b`, { method: "DELETE" });
    const healed = await engine.sluice("sync", "--wait");
    expect(healed.code).toBe(0);
    expect((await app("b"))?.instances).toBe(1);
  });
});

describe("prune confirm", () => {
  it("shows what would go, asks for a yes, and removes it for the revision that was shown only", async () => {
    for (const id of JOBS.slice(1)) await clone.remove(`apps/${id}.yaml`);
    await clone.push("only a stays");
    await eventually("removals wait", async () => {
      const { output } = await engine.sluice("status");
      return output.includes("PrunePending") || undefined;
    });
    const asked = await engine.sluice("prune", "confirm");
    expect(asked.code).toBe(2);
    expect(asked.output.split("\n").filter((line) => line.startsWith("✗ apps/"))).toEqual(
      JOBS.slice(1).map((id) => `✗ apps/${id}`),
    );
    expect(asked.output).toMatch(/nobody is there to be asked; nothing was changed/);
    const moved = await fetch(`${engine.address}/api/v1/environments/production/prune`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ revision: `main@sha1:${"0".repeat(40)}`, targets: ["apps"] }),
    });
    expect([moved.status, ((await moved.json()) as { code: string }).code]).toEqual([409, "REVISION_MOVED"]);
    const done = await engine.sluice("prune", "confirm", "--yes", "--wait");
    expect(done.code).toBe(0);
    expect(done.output).toMatch(/✔ apps\/h pruned/);
    expect(await Promise.all(JOBS.map(async (id) => (await app(id)) !== undefined))).toEqual([
      true,
      ...JOBS.slice(1).map(() => false),
    ]);
    expect(await engine.sluice("prune", "confirm")).toEqual({
      code: 0,
      output: "✔ production: no removal waits to be confirmed\n",
    });
  });
});

describe("events", () => {
  it("tells what happened, to people and as an object a line, for one job and one kind", async () => {
    const text = await engine.sluice("events", "production", "--job", "apps/a");
    expect(text.code).toBe(0);
    expect(text.output).toMatch(/^\S+Z production ✔ apps\/a healthy in \S+$/m);
    const { output } = await engine.sluice("events", "--type", "job.pruned", "-o", "json");
    const pruned = output
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { key: string }).key);
    expect(pruned.sort()).toEqual(JOBS.slice(1).map((id) => `apps/${id}`));
  });

  it("--watch goes on with what comes", async () => {
    const watching = spawn(process.execPath, [BIN, "events", "--watch", "--type", "deployment.finished"], {
      env: { ...COMMAND_ENV, SLUICE_SERVER: engine.address },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const printed = collect(watching);
    try {
      await printed.until(/production ✔ main@sha1/);
      await clone.write("apps/a.yaml", sleeper("a", "instances: 1\n"));
      await clone.push("one of a");
      const head = (await clone.head()).slice(0, 8);
      await printed.until(new RegExp(`production ✔ main@sha1:${head}: 1 of 1 job healthy \\(1 updated\\)`));
    } finally {
      const ended = new Promise((resolve) => watching.once("close", resolve));
      watching.kill("SIGINT");
      expect(await ended).toBe(0);
    }
  });
});

describe("history", () => {
  it("tells every commit that changed a job and how it did, from notes where there are some", async () => {
    const { code, output } = await engine.sluice("history", "apps/a", "-o", "json");
    expect(code).toBe(0);
    const { entries, complete } = JSON.parse(output) as {
      entries: { change: string; commit: { subject: string; commit: string }; outcome: { state: string } }[];
      complete: boolean;
    };
    expect([complete, entries.map(({ change, commit }) => [change, commit.subject])]).toEqual([
      true,
      [
        ["updated", "one of a"],
        ["updated", "two of a"],
        ["created", "eight sleepers"],
      ],
    ]);
    expect(entries.map(({ outcome }) => outcome.state)).toEqual(["healthy", "healthy", "healthy"]);
    await clone.git("fetch", "origin", "refs/notes/*:refs/notes/*");
    const note =
      "production: degraded in 3s at 2026-01-01T00:00:00.000Z (8 created) [sluice]\n  apps/a Refused: too large\n";
    const first = entries[2]?.commit.commit ?? "";
    await clone.git("notes", "--ref=deployments", "append", "-m", note, first);
    expect((await clone.git("push", "origin", "refs/notes/deployments")).code).toBe(0);
    const table = await engine.sluice("history", "apps/a");
    expect(table.output.split("\n").slice(1, 4)).toEqual([
      expect.stringMatching(/^main@sha1:\S+ +\S+Z +A\. Person +updated +✔ healthy +one of a$/),
      expect.stringMatching(/ updated +✔ healthy +two of a$/),
      expect.stringMatching(/ created +✗ Refused: too large +eight sleepers$/),
    ]);
    expect((await engine.sluice("history", "apps/a", "--limit", "1")).output).toMatch(
      /◎ there are older ones/,
    );
    await mkdir(join(clone.folder, "apps", "near"));
    await clone.remove("apps/a.yaml");
    await clone.write("apps/near/a.yaml", sleeper("a", "instances: 1\n"));
    await clone.push("a moved");
    await clone.write("apps/near/both.yaml", `${sleeper("z")}---\n${sleeper("a", "instances: 2\n")}`);
    await clone.remove("apps/near/a.yaml");
    await clone.push("a moved to z and changed");
    expect((await engine.sluice("wait")).code).toBe(0);
    const moved = await engine.sluice("history", "apps/a", "-o", "json");
    const { entries: whole } = JSON.parse(moved.output) as { entries: { change: string; file: string }[] };
    expect(whole.map(({ change, file }) => `${change} ${file}`)).toEqual([
      "updated apps/near/both.yaml",
      "moved apps/near/a.yaml",
      "updated apps/a.yaml",
      "updated apps/a.yaml",
      "created apps/a.yaml",
    ]);
    expect((await engine.sluice("history", "apps/nothing")).output).toMatch(/has no job "apps\/nothing"/);
  });
});

it("a revision with a file that is too large is refused whole: the push, the status and the events name file, size and limit", async () => {
  await clone.write("notes.txt", "x".repeat(600_000));
  await clone.write("apps/late.yaml", sleeper("late"));
  const { output } = await clone.push("too large");
  const said = /✗ notes\.txt: .*the file has 600000 bytes; limits\.maxFileBytes allows 524288/;
  expect(output).toMatch(said);
  const status = await engine.sluice("status");
  expect([status.code, status.output]).toEqual([1, expect.stringMatching(said)]);
  expect((await engine.sluice("events", "--type", "mirror.refused")).output).toMatch(said);
  expect(await app("late")).toBeUndefined();
  await clone.remove("notes.txt");
  await clone.push("small again");
  expect((await engine.sluice("wait")).code).toBe(0);
  expect((await engine.sluice("status")).code).toBe(0);
  expect(await app("late")).toBeDefined();
});
