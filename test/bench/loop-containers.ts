import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../harness/eventually.ts";
import { startDocker, type TestDocker } from "../servers/docker.ts";
import type { Report } from "./bench.ts";
import {
  agreement,
  type Start,
  servicesIn,
  startBoth,
  startOurs,
  startPeer,
  wrongIn,
} from "./loop-followers.ts";

const IMAGE = "shop/web:1.0";
/** Containers that are started or removed at the same time. */
const AT_ONCE = 8;
/** Long after either has looked at everything. */
const SETTLED_MS = 10_000;
const PATIENCE_MS = 300_000;

/** Containers start and end, and what Consul says of them is compared, exactly, with what runs. */
export async function measureContainers(report: Report, count: number): Promise<void> {
  const docker = await startDocker();
  try {
    await docker.importImage(IMAGE, {}, ["/bin/sleep", "3600"]);
    const names = Array.from({ length: count }, (_, number) => `n${number}`);
    await churn(docker, names, report);
    const left = names.filter((_, number) => number % 2 === 1);
    for (const start of [startOurs, startPeer]) await coldStart(docker, left, start, report);
    await allAtOnce(docker, await whileAway(docker, left, report), report);
  } finally {
    await docker.stop();
  }
}

/** Every container starts and every other one is removed again, while both follow, each with a Consul of its own. */
async function churn(docker: TestDocker, names: readonly string[], report: Report): Promise<void> {
  report.say(`${names.length} containers start, and every other one is removed again`);
  await startContainer(docker, "first");
  const followers = await startBoth(docker, ["first"]);
  try {
    await docker.client.getContainer("first").remove({ force: true });
    const cpu = followers.map((one) => one.cpuMs());
    const began = Date.now();
    await inLanes(names, async (name) => {
      await startContainer(docker, name);
      if (Number(name.slice(1)) % 2 === 0) await docker.client.getContainer(name).remove({ force: true });
    });
    const ended = Date.now();
    const left = names.filter((_, number) => number % 2 === 1);
    const times = await Promise.all(followers.map((one) => agreement(one, left, ended)));
    report.add(figureOf(`${names.length} containers: dockerd's own time`, ended - began, "ms"));
    for (const [at, one] of followers.entries()) {
      const spent = one.cpuMs() - (cpu[at] ?? 0);
      report.add(
        figureOf(
          `${names.length} start, half end: ${one.title}, Consul exact after the last`,
          times[at] ?? 0,
          "ms",
        ),
      );
      report.add(figureOf(`${names.length} start, half end: ${one.title}, CPU`, spent, "ms"));
    }
  } finally {
    for (const one of followers) await one.stop();
  }
}

/** All containers run already, and Consul knows none of them; the time that a process takes to begin is left out. */
async function coldStart(
  docker: TestDocker,
  names: readonly string[],
  start: Start,
  report: Report,
): Promise<void> {
  const follower = await start(docker);
  try {
    const began = await eventually(
      "a first service",
      async () => ((await servicesIn(follower)).length > 0 ? Date.now() : undefined),
      PATIENCE_MS,
    );
    const ms = await agreement(follower, names, began);
    report.add(
      figureOf(`${names.length} run already: ${follower.title}, first service → exact Consul`, ms, "ms"),
    );
  } finally {
    await follower.stop();
  }
}

/** Half of them end while nobody follows. @returns the others. */
async function whileAway(
  docker: TestDocker,
  names: readonly string[],
  report: Report,
): Promise<readonly string[]> {
  const left = names.filter((_, number) => number % 2 === 1);
  const gone = names.filter((name) => !left.includes(name));
  const followers = await startBoth(docker, names);
  try {
    for (const one of followers) await one.end();
    await inLanes(gone, (name) => docker.client.getContainer(name).remove({ force: true }));
    for (const one of followers) await one.again();
    await sleep(SETTLED_MS);
    for (const one of followers) {
      const figure = `${gone.length} end while nobody follows: ${one.title}, wrong ${SETTLED_MS / 1_000} s after its start`;
      report.add(figureOf(figure, await wrongIn(one, left), "services"));
    }
    return left;
  } finally {
    for (const one of followers) await one.stop();
  }
}

/** Everything is removed, as fast as dockerd can, while both follow. */
async function allAtOnce(docker: TestDocker, names: readonly string[], report: Report): Promise<void> {
  const followers = await startBoth(docker, names);
  try {
    await inLanes(names, (name) => docker.client.getContainer(name).remove({ force: true }));
    const ended = Date.now();
    const times = await Promise.all(followers.map((one) => agreement(one, [], ended)));
    for (const [at, one] of followers.entries())
      report.add(
        figureOf(`${names.length} end: ${one.title}, Consul exact after the last`, times[at] ?? 0, "ms"),
      );
  } finally {
    for (const one of followers) await one.stop();
  }
}

/** On the host's network a container starts in a fraction of the time. */
async function startContainer({ client }: TestDocker, name: string): Promise<void> {
  const container = await client.createContainer({
    name,
    Image: IMAGE,
    ExposedPorts: { "80/tcp": {} },
    HostConfig: { NetworkMode: "host" },
  });
  await container.start();
}

async function inLanes(names: readonly string[], work: (name: string) => Promise<unknown>): Promise<void> {
  const waiting = [...names];
  const lane = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await work(name);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

function figureOf(figure: string, value: number, unit: string) {
  return { figure, value, unit, target: null };
}
