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
  /** Ends its process; Consul stays as it is. */
  end(): Promise<void>;
  /** Starts it anew on the same Consul. */
  again(): Promise<void>;
  /** Ends it and its Consul. */
  stop(): Promise<void>;
}

/** The ids of its services, in order. */
export async function servicesIn({ consul }: Follower): Promise<readonly string[]> {
  const answer = await fetch(`${consul}/v1/agent/services`);
  return Object.keys((await answer.json()) as Record<string, object>).sort();
}

/** How many services are missing, or are there though their container is not. */
export async function wrongIn(follower: Follower, names: readonly string[]): Promise<number> {
  const found = new Set(await servicesIn(follower));
  const wanted = names.map(serviceId);
  const missing = wanted.filter((id) => !found.has(id)).length;
  return missing + found.size - (wanted.length - missing);
}

/** Milliseconds from `since` until Consul names exactly these containers. */
export async function agreement(
  follower: Follower,
  names: readonly string[],
  since: number,
): Promise<number> {
  const wanted = names.map(serviceId).sort().join();
  const at = await eventually(
    `${follower.title}: exactly ${names.length} services`,
    async () => ((await servicesIn(follower)).join() === wanted ? Date.now() : undefined),
    PATIENCE_MS,
  );
  return at - since;
}

function serviceId(name: string): string {
  return `${NODE}:${name}:80`;
}

export type Start = (docker: TestDocker) => Promise<Follower>;

export function startOurs(docker: TestDocker): Promise<Follower> {
  return followerOf("sluice", async (consul) => {
    const registrar = { docker: docker.address, node: NODE, address: docker.host };
    const config = { consul: { address: consul }, registrar };
    const role = await startProcess({ roles: ["registrar"], config });
    return { cpuMs: role.cpuMs, end: role.stop };
  });
}

export function startPeer(docker: TestDocker): Promise<Follower> {
  return followerOf("one request each in a row", async (consul) => {
    const child = fork(PEER, [docker.socket, consul, docker.host], { execArgv: ["--import", "tsx"] });
    const exit = once(child, "exit");
    const end = async () => {
      child.disconnect();
      await exit;
    };
    return { cpuMs: () => cpuMs(child.pid ?? 0), end };
  });
}

type Launch = (consul: string) => Promise<Pick<Follower, "cpuMs" | "end">>;

async function followerOf(title: string, launch: Launch): Promise<Follower> {
  const consul = await startRealConsul();
  if (!consul) throw new Error("Consul is not on this machine");
  let running = await launch(consul.address);
  return {
    title,
    consul: consul.address,
    cpuMs: () => running.cpuMs(),
    end: () => running.end(),
    async again() {
      running = await launch(consul.address);
    },
    async stop() {
      await running.end();
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
