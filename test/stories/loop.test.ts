import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type AppLoop, loopServers, startAppLoop, writeDeployFiles } from "../harness/app-loop.ts";
import { eventually } from "../harness/eventually.ts";
import { ask, type HttpLoad, httpLoad } from "../harness/http-load.ts";
import { describeWithServer } from "../servers/available.ts";

// Containers take seconds to start and to end on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const PATIENCE_MS = 60_000;

describeWithServer("the whole way from an app's push to its users", loopServers(), () => {
  let loop: AppLoop;
  let load: HttpLoad;
  /** The app's commits, by version. */
  const commits = new Map<string, string>();

  beforeAll(async () => {
    loop = await startAppLoop({ announcedBy: "ci" });
  });
  afterAll(async () => {
    await load?.stop();
    await loop?.stop();
  });

  async function release(version: string, broken = false) {
    const { code, output } = await loop.release({ version, broken });
    commits.set(version, await loop.app.head());
    expect([code, output]).toEqual([0, expect.stringContaining("► shop: a build of main")]);
  }
  /** Waits, and tells what all parts said where it was in vain. */
  const until = (what: string, is: () => Promise<boolean>) =>
    eventually(what, async () => ((await is()) ? true : undefined), PATIENCE_MS).catch((cause) => {
      const said = [loop.engine, loop.registrar, loop.router].map((one) => one.output());
      throw new Error(said.join("\n"), { cause });
    });
  const answers = (text: string) => until(text, async () => (await ask(loop)).text === text);
  /** What runs is two containers of this version, and no other. */
  const onlyRuns = (version: string) =>
    until(`only ${version} runs`, async () => {
      const containers = await loop.docker.client.listContainers();
      return containers.length === 2 && containers.every(({ Image }) => Image === `${loop.image}:${version}`);
    });
  /** Every commit of the deploy repo in this form, oldest first. */
  async function log(format: string, ...flags: string[]) {
    await loop.deploy.git(
      "fetch",
      "--quiet",
      "origin",
      "+refs/heads/*:refs/remotes/origin/*",
      "+refs/notes/*:refs/notes/*",
    );
    const words = ["log", "--reverse", "--notes=deployments", `--format=${format}`, ...flags, "origin/main"];
    const { output } = await loop.deploy.git(...words);
    return output.split("\n").filter((line) => line !== "");
  }
  async function job() {
    const { output } = await loop.engine.sluice("status", "-o", "json");
    const { environments } = JSON.parse(output) as { environments: [{ jobs: readonly object[] }] };
    return environments[0].jobs[0];
  }

  it("begins with a commit of a person in each of the two repositories", async () => {
    await release("1.0.0");
    await until("the first build", async () => loop.ci.builds[0]?.result === "SUCCESS");
    await writeDeployFiles(loop, "1.0.0");
    const { code, output } = await loop.deploy.push("the shop goes live");
    expect([code, output]).toEqual([0, expect.stringMatching(/✔ services\/shop_web healthy in/)]);
    expect(output).not.toContain("Drifted");
    await answers("shop 1.0.0");
  });

  it("brings each push to its users by itself, and loses none of their requests", async () => {
    load = httpLoad(loop);
    await release("1.1.0");
    await answers("shop 1.1.0");
    await onlyRuns("1.1.0");
    const { failures, heard } = load.result();
    expect(failures).toEqual([]);
    expect([...heard.keys()]).toEqual(["shop 1.0.0", "shop 1.1.0"]);
    expect(loop.engine.output()).toMatch(
      /► update services\/shop_web \(TaskTemplate\.ContainerSpec\.Image \S+:1\.0\.0 → \S+:1\.1\.0\)\n/,
    );
  });

  it("keeps a version that does not work from them, and tells why", async () => {
    await release("1.2.0", true);
    await until("the rollback", async () => JSON.stringify(await job()).includes("RolledBack"));
    expect(await job()).toMatchObject({ key: "services/shop_web", sync: "OutOfSync" });
    await onlyRuns("1.1.0");
    await release("1.2.1");
    await answers("shop 1.2.1");
    await onlyRuns("1.2.1");
    expect(await job()).toMatchObject({ sync: "Synced", health: "Healthy" });
    const { failures, heard } = await load.stop();
    expect(failures).toEqual([]);
    expect([...heard.keys()]).toEqual(["shop 1.0.0", "shop 1.1.0", "shop 1.2.1"]);
  });

  it("leaves it all in the deploy repo: who changed what, why, and how that went", async () => {
    await until("the newest note", async () => (await log("%N", "-1")).join() !== "");
    expect(await log("%an: %s")).toEqual([
      "A. Person: the shop goes live",
      "Sluice: web: 1.0.0 → 1.1.0",
      "Sluice: web: 1.1.0 → 1.2.0",
      "Sluice: web: 1.2.0 → 1.2.1",
    ]);
    const bodies = (await log("%b")).join("\n");
    for (const version of ["1.1.0", "1.2.0", "1.2.1"])
      expect(bodies).toContain(
        `→ ${version} (announced by ${loop.ci.url}, which built shop ${commits.get(version)}`,
      );
    expect((await log("%N")).join("\n")).toMatch(
      /^production: healthy in .*\nproduction: healthy in .*\nproduction: degraded .*\n {2}services\/shop_web RolledBack: .*\nproduction: healthy in .*$/,
    );
  });

  it("tells the same to whoever asks for the service's history", async () => {
    const { output } = await loop.engine.sluice("history", "services/shop_web", "-o", "json");
    const { entries } = JSON.parse(output) as {
      entries: readonly { outcome: { state: string; from?: string } }[];
    };
    expect(entries.map(({ outcome }) => `${outcome.state}, from the ${outcome.from}`)).toEqual([
      "healthy, from the note",
      "failed, from the note",
      "healthy, from the note",
      "healthy, from the note",
    ]);
  });

  it("tells the team of each deployment once", async () => {
    const told = () =>
      loop.listener.heard
        .filter(({ type }) => type.startsWith("io.sluice.deployment."))
        .map(({ type, data }) => `${data.commit?.subject}: ${type.replace(/.*\./, "")}`);
    await until("the last message", async () => told().at(-1) === "web: 1.2.0 → 1.2.1: healthy");
    expect(told()).toEqual([
      "the shop goes live: started",
      "the shop goes live: healthy",
      "web: 1.0.0 → 1.1.0: started",
      "web: 1.0.0 → 1.1.0: healthy",
      "web: 1.1.0 → 1.2.0: started",
      "web: 1.1.0 → 1.2.0: degraded",
      "web: 1.2.0 → 1.2.1: started",
      "web: 1.2.0 → 1.2.1: healthy",
    ]);
  });
});
