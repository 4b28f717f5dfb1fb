import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { cloneDeployRepo, type DeployClone } from "../harness/deploy-clone.ts";
import { removeEngine, startEngine, type TestEngine } from "../harness/engine.ts";
import { eventually } from "../harness/eventually.ts";
import { describeWithServer } from "../servers/available.ts";
import { hasDockerd, startDocker, type TestDocker } from "../servers/docker.ts";

// Stopping and starting containers takes seconds on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const WEB = ["/bin/httpd", "-f", "-p", "80", "-h", "/www"];

/** A stack of one service, whose page is a config. */
const shop = ({ image = "web:1", page = "hello", onFailure = "pause" }) => `
name: shop
services:
  web:
    image: ${image}
    ports: [{ target: 80, published: 8080, mode: host }]
    configs: [{ source: page, target: /www/index.html }]
    deploy:
      update_config: { monitor: 300ms, failure_action: ${onFailure} }
      rollback_config: { monitor: 300ms }
configs:
  page: { content: "${page}" }
`;

const PROXY = `
Name: proxy
Mode: { Replicated: { Replicas: 1 } }
TaskTemplate: { ContainerSpec: { Image: "web:1" } }
sluice: { dependsOn: [shop_web] }
`;

interface Job {
  readonly key: string;
  readonly sync: string;
  readonly health: string;
  readonly reason: string;
  readonly message: string;
}

describeWithServer("a deploy repo of Swarm services", { dockerd: hasDockerd() }, () => {
  let docker: TestDocker;
  let engine: TestEngine;
  let clone: DeployClone;

  beforeAll(async () => {
    docker = await startDocker();
    await docker.initSwarm();
    await docker.importImage("web:1", { "/www/version": "one" }, WEB);
    await docker.importImage("web:2", { "/www/version": "two" }, WEB);
    const targets = { services: { type: "swarm", addresses: [docker.address], wait: "20s" } };
    engine = await startEngine({ targets });
    clone = await cloneDeployRepo(engine.repositoryUrl);
    await mkdir(join(clone.folder, "services"));
  });
  afterAll(async () => {
    await clone?.cleanUp();
    if (engine) await removeEngine(engine);
    await docker?.stop();
  });

  const jobs = async () => {
    const { output } = await engine.sluice("status", "-o", "json");
    const { environments } = JSON.parse(output) as { environments: [{ jobs: readonly Job[] }] };
    return environments[0].jobs;
  };
  const states = async () =>
    (await jobs()).map(({ key, sync, health, reason }) => `${key} ${sync} ${health} ${reason}`).sort();
  const page = (path = "") =>
    fetch(`http://${docker.host}:8080/${path}`, { signal: AbortSignal.timeout(5_000) }).then((answer) =>
      answer.text(),
    );
  const services = async () => (await docker.client.listServices()).map(({ Spec }) => Spec?.Name).sort();

  it("runs what is pushed, in the order of its dependencies", async () => {
    await clone.write("services/shop.yaml", shop({}));
    await clone.write("services/proxy.yaml", PROXY);
    const { code, output } = await clone.push("the shop");
    expect(output).toMatch(
      /remote: ✔ services\/shop_web healthy in [\s\S]*remote: ✔ services\/proxy healthy in/,
    );
    expect(code).toBe(0);
    expect(await page()).toBe("hello");
    expect(await states()).toEqual([
      "services/proxy Synced Healthy Applied",
      "services/shop_web Synced Healthy Applied",
    ]);
    expect((await engine.sluice("diff")).code).toBe(0);
  });

  it("brings a changed config to the service, and touches no other", async () => {
    const before = await docker.client.getService("proxy").inspect();
    await clone.write("services/shop.yaml", shop({ page: "welcome" }));
    const { code, output } = await clone.push("a friendlier page");
    expect(output).toMatch(
      /remote: ► update services\/shop_web \(TaskTemplate\.ContainerSpec\.Configs\.0\.ConfigName/,
    );
    expect(code).toBe(0);
    expect(await page()).toBe("welcome");
    expect((await docker.client.getService("proxy").inspect()).Version).toEqual(before.Version);
  });

  it("puts back what somebody changes by hand", async () => {
    const service = docker.client.getService("shop_web");
    const { Spec, Version } = await service.inspect();
    const image = { ...Spec.TaskTemplate.ContainerSpec, Image: "web:2" };
    await service.update({
      ...Spec,
      version: Version.Index,
      TaskTemplate: { ...Spec.TaskTemplate, ContainerSpec: image },
    });
    await eventually("the image is put back", async () => {
      const now = await service.inspect();
      return now.Spec.TaskTemplate.ContainerSpec.Image === "web:1" ? true : undefined;
    });
    await eventually("the job is applied", async () =>
      (await states()).includes("services/shop_web Synced Healthy Applied") ? true : undefined,
    );
    expect(await page("version").catch(() => "")).toBe("one");
  });

  it("refuses a file that Swarm would half ignore, with its line", async () => {
    await clone.edit("services/shop.yaml", "image: web:1", "image: web:1\n    restart: always");
    const { code, output } = await clone.push("restart");
    expect(code).toBe(1);
    expect(output).toMatch(
      /remote: ✗ services\/shop\.yaml:6: services\.web\.restart: Swarm does not know "restart"/,
    );
    expect(output).toMatch(/use deploy\.restart_policy/);
    await clone.git("reset", "--quiet", "--hard", "HEAD~1");
  });

  it("holds a spec that Swarm rolled back, with the reason, and does not send it again", async () => {
    await clone.write(
      "services/shop.yaml",
      shop({ image: "nowhere:1", page: "welcome", onFailure: "rollback" }),
    );
    const { output } = await clone.push("a broken image");
    expect(output).toMatch(/remote: ✗ services\/shop_web[^\n]*Swarm/);
    expect((await jobs()).find(({ key }) => key === "services/shop_web")).toMatchObject({
      sync: "OutOfSync",
      reason: "RolledBack",
    });
    await eventually(
      "the previous spec runs",
      async () => ((await page()) === "welcome" ? true : undefined),
      150_000,
    );
    const { Version } = await docker.client.getService("shop_web").inspect();
    await engine.sluice("sync", "--wait");
    const now = await docker.client.getService("shop_web").inspect();
    expect(now.Spec.TaskTemplate.ContainerSpec.Image).toBe("web:1");
    expect(now.PreviousSpec).toBeUndefined();
    expect(Version.Index).toBeLessThanOrEqual(now.Version.Index);
  }, 240_000);

  it("is in order again once Git wants what runs", async () => {
    await clone.write("services/shop.yaml", shop({ page: "welcome" }));
    const { code } = await clone.push("the image that works");
    expect(code).toBe(0);
    expect(await states()).toEqual([
      "services/proxy Synced Healthy Applied",
      "services/shop_web Synced Healthy Applied",
    ]);
  });

  it("removes what is gone from Git, with its configs and its network, and nothing else", async () => {
    await docker.client.createService({
      Name: "theirs",
      TaskTemplate: { ContainerSpec: { Image: "web:1" } },
    });
    await clone.remove("services/shop.yaml");
    await clone.write("services/proxy.yaml", PROXY.replace(/sluice: .*/, ""));
    const { code } = await clone.push("no shop");
    expect(code).toBe(0);
    expect(await services()).toEqual(["proxy", "theirs"]);
    expect(await docker.client.listConfigs()).toEqual([]);
    // The node lists a network for a moment after the swarm let go of it.
    await eventually("the network is gone", async () => {
      const networks = await docker.client.listNetworks({ filters: { driver: ["overlay"] } });
      return networks.map(({ Name }) => Name).join() === "ingress" ? true : undefined;
    });
  });
});
