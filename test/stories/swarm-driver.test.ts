import { encodePath, type JobId, type LiveJob, type ParsedJob, targetName } from "@sluice/core";
import { swarm, swarmFormat } from "@sluice/schedulers";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { optionsFor } from "../conformance/scheduler-port-server.ts";
import { eventually } from "../harness/eventually.ts";
import { describeWithServer } from "../servers/available.ts";
import { hasDockerd, startDocker, type TestDocker } from "../servers/docker.ts";

const MARK = "test";
// Stopping and starting containers takes seconds on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const WEB = ["/bin/httpd", "-f", "-p", "80", "-h", "/www"];
/** An update is judged by what happens within a moment; the orchestrator's own is five seconds. */
const QUICK = "parallelism: 1, monitor: 300ms";

describeWithServer("the Swarm driver, on a real Docker Engine", { dockerd: hasDockerd() }, () => {
  let docker: TestDocker;
  let scheduler: ReturnType<typeof swarm>;

  beforeAll(async () => {
    docker = await startDocker();
    await docker.initSwarm();
    await docker.importImage("web:1", { "/www/index.html": "one" }, WEB);
    await docker.importImage("web:2", { "/www/index.html": "two" }, WEB);
    scheduler = swarm(optionsFor(docker.address));
  });
  afterAll(() => docker?.stop());

  const find = async (id: string) => (await scheduler.list({ ids: [id as JobId] }))[0];
  const until = (id: string, is: (job: LiveJob) => boolean, what: string) =>
    eventually(
      `${id} is ${what}`,
      async () => {
        const job = await find(id);
        if (job && is(job)) return job;
        throw new Error(JSON.stringify(job?.observed));
      },
      60_000,
    );
  const healthy = (id: string) =>
    until(id, ({ observed }) => observed.health === "Healthy" && !observed.rolledBack, "healthy");
  /** Writes a file's services, as an engine does that sees what runs. */
  async function apply(text: string): Promise<void> {
    for (const { id, spec, options } of jobsOf(text))
      await scheduler.apply({ id, spec, mark: MARK, live: await find(id), ignore: options.ignore });
  }
  async function removeAll() {
    for (const { id } of await scheduler.list({ mark: MARK })) await scheduler.remove({ id, mark: MARK });
  }
  const owned = async () => {
    const { client } = docker;
    const [configs, secrets, networks] = await Promise.all([
      client.listConfigs(),
      client.listSecrets(),
      client.listNetworks({ filters: { driver: ["overlay"] } }),
    ]);
    return [...configs, ...secrets]
      .flatMap(({ Spec }) => Spec?.Name ?? [])
      .concat(networks.map(({ Name }) => Name).filter((name) => name !== "ingress"))
      .sort();
  };
  /** A node lists a network for a moment after the swarm let go of it. */
  const leftIs = (names: readonly string[]) =>
    eventually(`what is left is ${names}`, async () => {
      const left = await owned();
      if (JSON.stringify(left) !== JSON.stringify(names)) throw new Error(String(left));
      return true;
    });
  const containers = async () => (await docker.client.listContainers()).map(({ Id }) => Id).sort();

  it("makes configs, secrets and networks before the service, replaces them with their contents, and takes them away after it", async () => {
    const file = (page: string) => `
name: shop
services:
  web:
    image: web:1
    ports: [{ target: 80, published: 8080, mode: host }]
    configs: [{ source: page, target: /www/index.html, mode: "0444" }]
    secrets: [key]
    deploy: { update_config: { ${QUICK} } }
configs: { page: { content: "${page}" } }
secrets: { key: { content: hidden, x-sluice: { inClear: true } } }
`;
    const page = () => fetch(`http://${docker.host}:8080/`).then((answer) => answer.text());
    await apply(file("first"));
    await healthy("shop_web");
    expect(await page()).toBe("first");
    expect(await owned()).toEqual(["shop_default", "shop_key-e564b408", "shop_page-a7937b64"]);
    expect(differencesOf(file("first"), await find("shop_web"))).toEqual([]);

    await apply(file("second"));
    await healthy("shop_web");
    expect(await page()).toBe("second");
    // The one before is kept, since Swarm may put the previous spec back.
    expect(await owned()).toEqual([
      "shop_default",
      "shop_key-e564b408",
      "shop_page-16367aac",
      "shop_page-a7937b64",
    ]);
    await apply(file("third"));
    await healthy("shop_web");
    expect(await owned()).toEqual([
      "shop_default",
      "shop_key-e564b408",
      "shop_page-16367aac",
      "shop_page-b1e99324",
    ]);

    await removeAll();
    await leftIs([]);
  });

  it("leaves configs and networks alone that others made", async () => {
    const { client } = docker;
    await client.createNetwork({ Name: "theirs", Driver: "overlay" });
    const theirs = await client.createConfig({ Name: "their-conf", Data: "aGk=" } as never);
    await apply(
      "services: { web: { image: web:1, networks: [n], configs: [c] } }\nnetworks: { n: { external: true, name: theirs } }\nconfigs: { c: { external: true, name: their-conf } }\n",
    );
    await healthy("web");
    await removeAll();
    await leftIs(["their-conf", "theirs"]);
    await client.getConfig(theirs.id).remove();
    await eventually("the network is free", async () =>
      client
        .getNetwork("theirs")
        .remove()
        .then(() => true),
    );
  });

  it("waits for a secret that is not in the swarm yet, and says which", async () => {
    const file =
      "services: { web: { image: web:1, secrets: [key] } }\nsecrets: { key: { external: true } }\n";
    await expect(apply(file)).rejects.toMatchObject({
      code: "SCHEDULER_CONFLICT",
      message: "the secret key is not in the swarm",
    });
    expect(await find("web")).toBeUndefined();
  });

  it("restarts no task when it takes a service over, nor when only its labels change", async () => {
    const spec = (labels: string) =>
      `services: { web: { image: web:1, deploy: { labels: { ${labels} } } } }\n`;
    const [job] = jobsOf(spec(""));
    await docker.client.createService({ ...job?.spec } as never);
    await healthy("web");
    const before = await containers();
    await apply(spec(""));
    expect((await healthy("web")).owner).toBe(MARK);
    await apply(spec("team: shop"));
    expect((await healthy("web")).spec.Labels).toMatchObject({ team: "shop" });
    expect(await containers()).toEqual(before);
    await removeAll();
  });

  it("keeps a forced restart and a pinned digest that others wrote, and restarts nothing for them", async () => {
    const file = (labels: string) =>
      `services: { web: { image: web:1, deploy: { labels: { ${labels} }, update_config: { ${QUICK} } } } }\n`;
    await apply(file(""));
    await healthy("web");
    const service = docker.client.getService("web");
    const { Spec, Version } = await service.inspect();
    await service.update({
      ...Spec,
      version: Version.Index,
      TaskTemplate: { ...Spec.TaskTemplate, ForceUpdate: 1 },
    });
    await until(
      "web",
      ({ spec, observed }) =>
        JSON.stringify(spec).includes('"ForceUpdate":1') && observed.health === "Healthy",
      "restarted",
    );
    expect(differencesOf(file(""), await find("web"))).toEqual([]);
    const before = await eventually("one container", async () => {
      const now = await containers();
      return now.length === 1 ? now : undefined;
    });
    await apply(file("a: b"));
    await healthy("web");
    expect(await containers()).toEqual(before);
    await removeAll();
  });

  it("tells an image that is not there, with Docker's own words", async () => {
    await apply("services: { web: { image: nowhere:1 } }\n");
    const job = await until("web", ({ observed }) => observed.health === "Degraded", "degraded");
    expect(job.observed).toEqual({
      health: "Degraded",
      message: "0 of 1 tasks running; the last task failed: No such image: nowhere:1",
    });
    await removeAll();
  });

  it("tells a task that gave up for good", async () => {
    await apply(
      'services: { web: { image: web:1, command: "/bin/false", deploy: { restart_policy: { condition: none } } } }\n',
    );
    const job = await until("web", ({ observed }) => observed.failed === true, "given up");
    expect(job.observed).toEqual({
      health: "Degraded",
      failed: true,
      message: "0 of 1 tasks running; the last task failed: task: non-zero exit (1)",
    });
    await removeAll();
  });

  it("sees that Swarm paused a failing update", async () => {
    const file = (image: string) =>
      `services: { web: { image: "${image}", deploy: { update_config: { ${QUICK} } } } }\n`;
    await apply(file("web:1"));
    await healthy("web");
    await apply(file("nowhere:1"));
    const { observed } = await until("web", (job) => job.observed.failed === true, "paused");
    expect(observed).toMatchObject({ health: "Degraded" });
    expect(observed.message).toMatch(
      /^Swarm paused the update; 0 of 1 tasks running; the last task failed: No such image/,
    );
    await removeAll();
  });

  it("sees that Swarm put the previous spec back", async () => {
    const file = (image: string) =>
      `services: { web: { image: "${image}", deploy: { update_config: { ${QUICK}, failure_action: rollback }, rollback_config: { ${QUICK} } } } }\n`;
    await apply(file("web:1"));
    await healthy("web");
    await apply(file("nowhere:1"));
    const job = await until(
      "web",
      ({ observed }) => observed.rolledBack === true && observed.health === "Healthy",
      "rolled back",
    );
    expect(job.observed.message).toBe("Swarm put the previous spec back; 1 of 1 tasks running");
    expect(differencesOf(file("web:1"), job)).toEqual([]);
    await apply(file("web:2"));
    expect((await healthy("web")).observed).toEqual({ health: "Healthy", message: "1 of 1 tasks running" });
    await removeAll();
  });

  it("stops a rollout by putting the previous spec back", async () => {
    const file = (image: string) =>
      `services: { web: { image: "${image}", deploy: { replicas: 2, update_config: { parallelism: 1, delay: 1h }, rollback_config: { ${QUICK} } } } }\n`;
    await apply(file("web:1"));
    await healthy("web");
    await apply(file("web:2"));
    await until("web", ({ observed }) => observed.health === "Progressing", "on its way");
    await scheduler.cancel?.("web" as JobId);
    const job = await until("web", ({ observed }) => observed.health === "Healthy", "as before");
    expect(differencesOf(file("web:1"), job)).toEqual([]);
    await removeAll();
  });

  it("runs a job to its end, and is well then", async () => {
    const file = (command: string) =>
      `services: { once: { image: web:1, command: ${command}, deploy: { mode: replicated-job, restart_policy: { condition: none } } } }\n`;
    await apply(file("/bin/true"));
    expect((await healthy("once")).observed.message).toBe("1 of 1 tasks complete");
    expect(differencesOf(file("/bin/true"), await find("once"))).toEqual([]);
    await apply(file("/bin/false"));
    expect(
      (await until("once", ({ observed }) => observed.failed === true, "failed")).observed,
    ).toMatchObject({
      health: "Degraded",
      message: "0 of 1 tasks complete; the last task failed: task: non-zero exit (1)",
    });
    await removeAll();
  });

  it("hears of the services again after Docker was restarted", async () => {
    const stop = new AbortController();
    const hints: (string | undefined)[] = [];
    const watching = (async () => {
      for await (const hint of scheduler.watch?.(stop.signal) ?? []) hints.push(hint);
    })();
    await eventually("the watch is open", async () => (hints.length > 0 ? true : undefined));
    await docker.restart();
    await eventually("Docker is a manager again", async () => (await docker.client.swarmInspect()) && true);
    await eventually("the watch is open again", async () => (hints.length > 1 ? true : undefined));
    await apply("services: { web: { image: web:1 } }\n");
    await eventually("the service is told of", async () => (hints.includes("web") ? true : undefined));
    stop.abort();
    await watching;
    await healthy("web");
  });
});

function jobsOf(text: string): readonly ParsedJob[] {
  const file = { path: encodePath("services/a.yaml"), bytes: Buffer.from(text) };
  const { jobs, problems } = swarmFormat().parse(file, targetName("services"));
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return jobs;
}

function differencesOf(text: string, live: LiveJob | undefined) {
  return swarmFormat().compare(jobsOf(text)[0]?.spec ?? {}, live?.spec ?? {}, []);
}
