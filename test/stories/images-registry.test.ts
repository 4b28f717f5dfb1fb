import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cloneDeployRepo, type DeployClone } from "../harness/deploy-clone.ts";
import { removeEngine, startEngine, type TestEngine } from "../harness/engine.ts";
import { eventually } from "../harness/eventually.ts";
import { describeWithServer } from "../servers/available.ts";
import { hasRegistry, startRegistry, type TestRegistry } from "../servers/registry.ts";

const SECRET = "registry-s3cret";

describeWithServer("a real image registry", { "docker-registry": hasRegistry() }, () => {
  let secrets: string;
  let engine: TestEngine;
  let clone: DeployClone;
  let registry: TestRegistry;

  beforeAll(async () => {
    secrets = await mkdtemp(join(tmpdir(), "sluice-secrets-"));
    const secretFile = join(secrets, "registry");
    await writeFile(secretFile, `older\n${SECRET}\n`);
    engine = await startEngine({ settings: { webhooks: { registry: { secretFile } } } });
    registry = await startRegistry({
      url: `${engine.address}/hooks/registry`,
      authorization: `Bearer ${SECRET}`,
    });
    clone = await cloneDeployRepo(engine.repositoryUrl);
  });
  afterAll(async () => {
    await registry?.stop();
    await clone?.cleanUp();
    if (engine) await removeEngine(engine);
    await rm(secrets, { recursive: true, force: true });
  });

  async function fileInGit(): Promise<string> {
    await clone.git("fetch", "--quiet", "origin");
    return (await clone.git("show", "origin/main:apps.yaml")).output;
  }

  it("tells the engine of a push, and the deploy repo names the new image by its digest", async () => {
    const web = `${registry.host}/shop/web`;
    const first = await registry.push("shop/web", "1.0.0");
    await clone.write("deploy.yaml", `images:\n  ${web}: { policy: semver, digest: true }\n`);
    await clone.write("apps.yaml", `image: ${web}:1.0.0@${first} # the web\n`);
    await clone.push("the first version");
    const digest = await registry.push("shop/web", "1.1.0");
    await registry.push("shop/web", "latest");
    await registry.push("shop/web", "1.0.9");
    await registry.push("shop/other", "9.0.0");
    await eventually("the commit", async () =>
      (await fileInGit()) === `image: ${web}:1.1.0@${digest} # the web\n` ? true : undefined,
    );
    expect((await clone.git("log", "-1", "--format=%an: %s", "origin/main")).output).toMatch(
      /^Sluice: web: 1\.0\.0@sha256:[0-9a-f]{12} → 1\.1\.0@sha256:[0-9a-f]{12}\n$/,
    );
  });

  it.each([
    ["no secret", {}],
    ["another secret", { authorization: "Bearer guessed" }],
    ["an empty secret", { authorization: "Bearer " }],
  ])("is refused with %s", async (_, headers: Record<string, string>) => {
    const { status } = await fetch(`${engine.address}/hooks/registry`, {
      method: "POST",
      headers,
      body: "{}",
    });
    expect(status).toBe(403);
  });
});
