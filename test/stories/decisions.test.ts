import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cloneDeployRepo, type DeployClone } from "../harness/deploy-clone.ts";
import { removeEngine, startEngine, type TestEngine } from "../harness/engine.ts";
import { eventually } from "../harness/eventually.ts";

const OTHER = "id: /other\ncmd: exec sleep 1000\ncpus: 0.1\nmem: 16\n";

/** An app whose health check says what `check` says. */
function app(seconds: number, check: "true" | "false" = "true"): string {
  return `
id: /app
cmd: exec sleep ${seconds}
cpus: 0.1
mem: 16
healthChecks:
  - { protocol: COMMAND, command: { value: "${check}" }, intervalSeconds: 1, gracePeriodSeconds: 1, maxConsecutiveFailures: 0 }
sluice: { wait: 6s, onFailure: rollback, owner: team-shop }
`;
}

interface Shown {
  readonly sync: string;
  readonly health: string;
  readonly reason: string;
  readonly message: string;
  readonly owner?: string;
}

describe("what the deployer decides, with a scheduler that runs processes", { timeout: 90_000 }, () => {
  let engine: TestEngine;
  let clone: DeployClone;
  beforeAll(async () => {
    engine = await startEngine();
    clone = await cloneDeployRepo(engine.repositoryUrl);
    await mkdir(join(clone.folder, "apps"));
    await clone.write("apps/app.yaml", app(1000));
    await clone.write("apps/other.yaml", OTHER);
    await clone.push("an app that runs, and another one");
  }, 90_000);
  afterAll(async () => {
    await clone.cleanUp();
    await removeEngine(engine);
  });

  async function job(key: string): Promise<Shown> {
    const { output } = await engine.sluice("status", key, "-o", "json");
    return (JSON.parse(output) as Shown[])[0] as Shown;
  }

  it("a commit that does not run is followed by the spec that did, and is told in the push", async () => {
    await clone.write("apps/app.yaml", app(1000, "false"));
    const { output } = await clone.push("an app that does not run");
    expect(output).toMatch(/remote: ✗ apps\/app .*RolledBack/);
    const found = await eventually("the app runs again", async () => {
      const now = await job("apps/app");
      return now.reason === "RolledBack" && now.health === "Healthy" ? now : undefined;
    });
    expect(found).toMatchObject({ sync: "OutOfSync", owner: "team-shop" });
    expect(found.message).toMatch(/the last healthy spec, of main@sha1:[0-9a-f]{8}, takes its place$/);
  });

  it("the next commit is deployed as any other", async () => {
    await clone.write("apps/app.yaml", app(2000));
    const { output } = await clone.push("an app that runs again");
    expect(output).toMatch(/remote: ✔ apps\/app healthy in/);
    expect(await job("apps/app")).toMatchObject({ sync: "Synced", health: "Healthy", reason: "Applied" });
  });

  it("outside its window a change is shown and not made; a person can have it made all the same", async () => {
    await clone.write("deploy.yaml", "windows:\n  - deny: 00:00-00:00\n");
    await clone.write("apps/app.yaml", app(3000));
    const { output } = await clone.push("not now");
    expect(output).toMatch(/remote: .*apps\/app .*OutsideWindow/);
    expect((await engine.sluice("diff")).output).toMatch(/apps\/app OutsideWindow: .*\n +cmd /);
    await engine.sluice("sync", "--outside-window");
    await eventually("the change is made", async () =>
      (await job("apps/app")).reason === "Applied" ? true : undefined,
    );
  });
});
