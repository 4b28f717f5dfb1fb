import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FakeJenkins, fakeJenkins } from "@sluice/build-trigger/testing";
import { initBareRepository } from "@sluice/git";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cloneDeployRepo, type DeployClone } from "../harness/deploy-clone.ts";
import { removeEngine, sluice, startEngine, type TestEngine } from "../harness/engine.ts";
import { eventually } from "../harness/eventually.ts";

describe("a push to an app's repository", () => {
  let folder: string;
  let repository: string;
  let ci: FakeJenkins;
  let engine: TestEngine;
  let app: DeployClone;
  const pushed: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-builds-story-"));
    repository = join(folder, "shop.git");
    await initBareRepository(repository, { defaultBranch: "main" });
    await writeFile(join(folder, "token"), "api-token\n");
    ci = await fakeJenkins(async ({ SLUICE_COMMIT }) => {
      pushed.push(SLUICE_COMMIT ?? "");
      return "SUCCESS";
    });
    engine = await startEngine({
      settings: {
        builds: {
          shop: {
            branches: ["main", "release/*"],
            ci: {
              type: "jenkins",
              url: ci.url,
              job: "team/shop",
              username: "robot",
              tokenFile: join(folder, "token"),
            },
          },
        },
      },
    });
    app = await cloneDeployRepo(repository);
  });
  afterAll(async () => {
    if (engine) await removeEngine(engine);
    await app?.cleanUp();
    await ci?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const install = (server: string) => sluice(["hook", "install", repository, "--ci", "--server", server]);
  async function push(text: string, ...flags: string[]) {
    await app.write("main.js", text);
    return app.push(text, ...flags);
  }
  const built = (commit: string) =>
    eventually(`a build of ${commit}`, async () => {
      const { builds } = JSON.parse((await engine.sluice("builds", "shop", "-o", "json")).output) as {
        builds: { commit: string; state: string }[];
      };
      return builds.find((one) => one.commit === commit && one.state === "succeeded");
    });

  it("is built, and its outcome is recorded", async () => {
    expect((await install(engine.address)).code).toBe(0);
    const { code, output } = await push("one");
    const commit = await app.head();
    expect([code, output]).toEqual([
      0,
      expect.stringContaining(`► shop: a build of main ${commit.slice(0, 8)} is asked for`),
    ]);
    await built(commit);
    expect(pushed).toEqual([commit]);
    const { code: exit, output: table } = await engine.sluice("builds");
    expect([exit, table]).toEqual([0, expect.stringMatching(/shop\s+main\s+[0-9a-f]{8}\s+succeeded/)]);
  });

  it("to a branch that is not built says so", async () => {
    const { output } = await app.git("push", "origin", "HEAD:refs/heads/other");
    expect(output).toContain("nothing is built from what was pushed");
  });

  it("is not held up by an engine that is silent, and is built when one answers", async () => {
    const silent: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    await install(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    const { code, output } = await push("two");
    expect([code, output]).toEqual([0, expect.stringContaining("it is begun as soon as one does")]);
    const commit = await app.head();
    expect((await readdir(join(repository, "sluice-builds"))).some((name) => name.endsWith(".json"))).toBe(
      true,
    );
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
    await install(engine.address);
    await push("three");
    await built(commit);
    await built(await app.head());
    await eventually("an empty folder of waiting pushes", async () =>
      (await readdir(join(repository, "sluice-builds"))).length === 0 ? true : undefined,
    );
  });

  it("can be built once more by hand", async () => {
    const before = pushed.length;
    const { code } = await engine.sluice(
      "build",
      "start",
      "shop",
      "-b",
      "main",
      "--commit",
      await app.head(),
    );
    expect(code).toBe(0);
    await eventually("one more build", async () => (pushed.length === before + 1 ? true : undefined));
    expect(pushed.at(-1)).toBe(await app.head());
  });

  it("of an app nobody configured is told so, and is taken all the same", async () => {
    await sluice(["hook", "install", repository, "--app", "shopp", "--server", engine.address]);
    const { code, output } = await push("four");
    expect([code, output]).toEqual([
      0,
      expect.stringContaining(
        'no build is begun: builds of "shopp" are not configured (did you mean "shop"?)',
      ),
    ]);
  });
});
