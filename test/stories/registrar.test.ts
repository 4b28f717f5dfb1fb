import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { type RoleProcess, startRoles } from "../harness/role.ts";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { type RealConsul, startRealConsul } from "../servers/consul.ts";
import { hasDockerd, startDocker, type TestDocker } from "../servers/docker.ts";

const IMAGE = "shop/web:1.0";
const SERVERS = { consul: hasConsul(), dockerd: hasDockerd() };

interface Entry {
  readonly Service: {
    readonly ID: string;
    readonly Service: string;
    readonly Address: string;
    readonly Port: number;
  };
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string }[];
}

describeWithServer("containers of a real dockerd in a real Consul", SERVERS, () => {
  let docker: TestDocker;
  let consul: RealConsul;
  let role: RoleProcess;
  let config: object;

  beforeAll(async () => {
    const [started, server] = await Promise.all([startDocker(), startRealConsul()]);
    if (!server) throw new Error("Consul vanished from this machine");
    [docker, consul] = [started, server];
    await docker.importImage(IMAGE, { "/www/index.html": "hello" }, [
      "/bin/httpd",
      "-f",
      "-p",
      "80",
      "-h",
      "/www",
    ]);
    config = {
      consul: { address: consul.address },
      registrar: { docker: docker.address, node: "host-1", address: docker.host, interval: "2s" },
    };
    role = await startRoles({ roles: ["registrar"], config });
  }, 60_000);
  afterAll(async () => {
    await role?.remove();
    await Promise.all([docker?.stop(), consul?.stop()]);
  }, 60_000);

  const agent = async <T>(path: string) => (await (await fetch(`${consul.address}/v1/${path}`)).json()) as T;
  const registered = async () => Object.keys(await agent<Record<string, object>>("agent/services")).sort();
  const health = (name: string) => agent<Entry[]>(`health/service/${name}`);
  async function run(name: string, options: object = {}) {
    const container = await docker.client.createContainer({
      name,
      Image: IMAGE,
      ExposedPorts: { "80/tcp": {} },
      HostConfig: { PublishAllPorts: true },
      ...options,
    });
    await container.start();
    return container;
  }
  const idsOf = (names: readonly string[]) => names.map((name) => `host-1:${name}:80`).sort();
  const agrees = (names: readonly string[], deadlineMs = 60_000) =>
    eventually(
      `exactly ${names.length} services`,
      async () => ((await registered()).join() === idsOf(names).join() ? true : undefined),
      deadlineMs,
    ).catch(async (cause) => {
      throw new Error(`${(await registered()).join()}\n${role.output()}`, { cause });
    });

  it("appear with their address, names and checks, and answer there", async () => {
    await run("box-a", {
      Labels: { SERVICE_NAME: "front", SERVICE_CHECK_TCP: "true", SERVICE_CHECK_INTERVAL: "1s" },
    });
    const [entry] = await eventually("a passing instance", async () => {
      const found = await health("front");
      return found.length === 1 && found[0]?.Checks.every(({ Status }) => Status === "passing")
        ? found
        : undefined;
    });
    expect([entry?.Service.ID, entry?.Service.Address]).toEqual(["host-1:box-a:80", docker.host]);
    const page = await fetch(`http://${docker.host}:${entry?.Service.Port}/`);
    expect(await page.text()).toBe("hello");
  });

  it("vanish when they end, and leave what others registered", async () => {
    const body = JSON.stringify({ ID: "foreign", Name: "foreign", Port: 1 });
    await fetch(`${consul.address}/v1/agent/service/register`, { method: "PUT", body });
    await run("box-b");
    await eventually("b", async () => ((await registered()).includes("host-1:box-b:80") ? true : undefined));
    await docker.client.getContainer("box-b").remove({ force: true });
    await eventually("b gone", async () =>
      (await registered()).includes("host-1:box-b:80") ? undefined : true,
    );
    expect(await registered()).toEqual(["foreign", "host-1:box-a:80"]);
    await fetch(`${consul.address}/v1/agent/service/deregister/foreign`, { method: "PUT" });
  });

  it("show their HEALTHCHECK", async () => {
    const Healthcheck = {
      Test: ["CMD", "/bin/test", "!", "-e", "/ill"],
      Interval: 1e9,
      Timeout: 1e9,
      Retries: 1,
    };
    const container = await run("box-c", { Healthcheck });
    const status = async () =>
      (await health("web"))
        .find(({ Service }) => Service.ID === "host-1:box-c:80")
        ?.Checks.find(({ CheckID }) => CheckID.endsWith(":docker"))?.Status;
    await eventually("a healthy container", async () => ((await status()) === "passing" ? true : undefined));
    const ill = await container.exec({ Cmd: ["/bin/touch", "/ill"] });
    await ill.start({});
    await eventually("an unhealthy container", async () =>
      (await status()) === "critical" ? true : undefined,
    );
    await container.remove({ force: true });
  });

  it("are found again after dockerd and Consul started anew", async () => {
    await agrees(["box-a"]);
    await run("box-d", { HostConfig: { PublishAllPorts: true, RestartPolicy: { Name: "always" } } });
    await agrees(["box-a", "box-d"]);
    await consul.restart();
    await agrees(["box-a", "box-d"]);
    await docker.restart();
    // "a" has no restart policy: it ended with the daemon.
    await agrees(["box-d"]);
    await docker.client.getContainer("box-d").remove({ force: true });
    await agrees([]);
  }, 180_000);

  it("are exactly what runs after a kill -9 in the middle of 200 that come and go", async () => {
    const names = Array.from({ length: 200 }, (_, number) => `n${number}`);
    const waiting = [...names];
    let started = 0;
    const lane = async () => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        // On the host's network a container starts in a fraction of the time.
        const container = await run(name, {
          HostConfig: { NetworkMode: "host" },
          Cmd: ["/bin/sleep", "600"],
        });
        started += 1;
        if (started === 100) await role.kill();
        if (Number(name.slice(1)) % 2 === 0) await container.remove({ force: true });
      }
    };
    await Promise.all(Array.from({ length: 6 }, lane));
    const left = names.filter((name) => Number(name.slice(1)) % 2 === 1);
    // The kill left something behind, or it would prove nothing.
    expect(await registered()).not.toEqual(idsOf(left));
    await role.remove();
    role = await startRoles({ roles: ["registrar"], config });
    await agrees(left);
  }, 240_000);
});
