import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { eventually } from "../harness/eventually.ts";
import { startRealConsul } from "../servers/consul.ts";
import type { TestDocker } from "../servers/docker.ts";
import { cpuMs, startProcess } from "./mirror-engine.ts";

const PEER = fileURLToPath(new URL("./loop-registrator.ts", import.meta.url));
const PATIENCE_MS = 300_000;
const NODE = "host-1";

/** Something that brings a dockerd's containers into a Consul. */
export interface Follower {
  readonly title: string;
  readonly consul: string;
  /** CPU milliseconds so far. */
  cpuMs(): number;
  stop(): Promise<void>;
}

/** The ids of its services, in order. */
export async function servicesIn({ consul }: Follower): Promise<readonly string[]> {
  const answer = await fetch(`${consul}/v1/agent/services`);
  return Object.keys((await answer.json()) as Record<string, object>).sort();
}

/** Milliseconds from `since` until Consul names exactly these containers. */
export async function agreement(
  follower: Follower,
  names: readonly string[],
  since: number,
): Promise<number> {
  const wanted = names
    .map((name) => `${NODE}:${name}:80`)
    .sort()
    .join();
  const at = await eventually(
    `${follower.title}: exactly ${names.length} services`,
    async () => ((await servicesIn(follower)).join() === wanted ? Date.now() : undefined),
    PATIENCE_MS,
  );
  return at - since;
}

export type Start = (docker: TestDocker) => Promise<Follower>;

export async function startOurs(docker: TestDocker): Promise<Follower> {
  const consul = await realConsul();
  const config = {
    consul: { address: consul.address },
    registrar: { docker: docker.address, node: NODE, address: docker.host },
  };
  const role = await startProcess({ roles: ["registrar"], config });
  return {
    title: "sluice",
    consul: consul.address,
    cpuMs: role.cpuMs,
    async stop() {
      await role.stop();
      await consul.stop();
    },
  };
}

export async function startPeer(docker: TestDocker): Promise<Follower> {
  const consul = await realConsul();
  const child = fork(PEER, [docker.socket, consul.address, docker.host], { execArgv: ["--import", "tsx"] });
  return {
    title: "one request each in a row",
    consul: consul.address,
    cpuMs: () => cpuMs(child.pid ?? 0),
    async stop() {
      const exit = once(child, "exit");
      child.disconnect();
      await exit;
      await consul.stop();
    },
  };
}

/** Both, following already: what runs is in both Consuls. */
export async function startBoth(
  docker: TestDocker,
  running: readonly string[],
): Promise<readonly Follower[]> {
  const followers = [await startOurs(docker), await startPeer(docker)];
  await Promise.all(followers.map((one) => agreement(one, running, Date.now())));
  return followers;
}

async function realConsul() {
  const consul = await startRealConsul();
  if (!consul) throw new Error("Consul is not on this machine");
  return consul;
}
