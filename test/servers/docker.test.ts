import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { dirname } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { describeWithServer } from "./available.ts";
import { hasDockerd, startDocker, type TestDocker } from "./docker.ts";

describeWithServer("a dockerd of the tests' own", { dockerd: hasDockerd() }, () => {
  const ours: TestDocker[] = [];

  beforeAll(async () => {
    ours.push(...(await Promise.all([startDocker(), startDocker()])));
  });
  afterAll(() => Promise.all(ours.map((one) => one.stop())));

  it("runs beside another, publishes ports, comes back after a crash, and leaves nothing behind", async () => {
    const pages = await Promise.all(ours.map((docker, at) => served(docker, `page ${at}`)));
    expect(pages).toEqual(["page 0", "page 1"]);

    await Promise.all(ours.map((docker, at) => docker.restart(at === 0 ? "kill" : "stop")));
    for (const { client } of ours)
      expect(await client.listContainers({ all: true })).toMatchObject([{ State: "exited" }]);

    expect(ours.flatMap(tracesOf)).not.toEqual([]);
    await Promise.all(ours.map((one) => one.stop()));
    await eventually("nothing is left", async () => (ours.flatMap(tracesOf).length === 0 ? true : undefined));
  });
});

async function served(docker: TestDocker, page: string): Promise<string> {
  await docker.importImage("web:1", { "/www/index.html": page }, [
    "/bin/httpd",
    "-f",
    "-p",
    "80",
    "-h",
    "/www",
  ]);
  const container = await docker.client.createContainer({
    Image: "web:1",
    HostConfig: { PortBindings: { "80/tcp": [{ HostPort: "8080" }] } },
    ExposedPorts: { "80/tcp": {} },
  });
  await container.start();
  return eventually("the page is served", async () => (await fetch(`http://${docker.host}:8080/`)).text());
}

/** What there is of a daemon on this machine, outside its own namespaces. */
function tracesOf({ socket, outside }: TestDocker): string[] {
  const folder = dirname(socket);
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  const addresses = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  const rules = execFileSync("iptables-save", { encoding: "utf8" }).split("\n");
  return [
    ...(existsSync(folder) ? [folder] : []),
    ...mounts.filter((line) => line.includes(folder)),
    ...addresses.flatMap(({ address }) => (address === outside ? [address] : [])),
    ...rules.filter((line) => line.includes(outside)),
  ];
}
