import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/free-port.ts";
import type { LinkOrder, LinkSettings } from "./consul-cluster-links.ts";

const LINKS = fileURLToPath(new URL("./consul-cluster-links.ts", import.meta.url));

export interface ConsulClusterOptions {
  /** How many servers; default 3. */
  readonly servers?: number;
  /** Merged over each server's generated configuration (Consul's own key names). */
  readonly config?: Record<string, unknown>;
}

/** Real Consul servers of one datacenter on loopback. They are named by number, from 0. */
export interface ConsulCluster {
  /** HTTP address by number. */
  readonly addresses: readonly string[];
  /** The number of the server that leads; waits until all that run and are not cut off agree on one. */
  leader(): Promise<number>;
  /** kill -9; its data stays. */
  kill(server: number): Promise<void>;
  /** Starts a killed server on its data; resolves once it knows a leader. */
  start(server: number): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  pause(server: number): void;
  resume(server: number): void;
  /** From now on exactly these servers are cut off from all others (and from each other); clients still reach them. */
  cutOff(...servers: readonly number[]): Promise<void>;
  /** Ends every process and removes all data. */
  stop(): Promise<void>;
}

interface Server {
  readonly name: string;
  readonly file: string;
  readonly http: string;
  /** Of `rpc`, as the others know this server. */
  readonly peer: string;
  process: ChildProcess | undefined;
}

interface Place {
  readonly shown: string;
  readonly real: string;
  readonly port: number;
  readonly serf: number;
  readonly http: number;
}

const ELECTION_MS = 30_000;

/**
 * Starts the cluster and waits for its leader. A server listens for its peers on `127.0.1.N` and tells them `127.0.2.N`, where
 * a relay answers: thus a cluster can be divided without privileges, on any system where all of 127/8 is loopback (Linux).
 */
export async function startConsulCluster(options: ConsulClusterOptions = {}): Promise<ConsulCluster> {
  const folder = await mkdtemp(join(tmpdir(), "consul-cluster-"));
  const places = await choosePlaces(options.servers ?? 3);
  const servers = await Promise.all(places.map((_, number) => configure(folder, places, number, options)));
  const links = await startLinks(places);
  let apart: ReadonlySet<number> = new Set();
  const cluster: ConsulCluster = {
    addresses: servers.map(({ http }) => http),
    leader: () => agreedLeader(servers, apart),
    async kill(number) {
      const running = serverAt(servers, number);
      await ended(running.process);
      running.process = undefined;
    },
    async start(number) {
      const server = serverAt(servers, number);
      server.process = run(server);
      await eventually(`${server.name} knows a leader`, () => leaderSeenBy(server), ELECTION_MS);
    },
    pause: (number) => void serverAt(servers, number).process?.kill("SIGSTOP"),
    resume: (number) => void serverAt(servers, number).process?.kill("SIGCONT"),
    async cutOff(...numbers) {
      apart = new Set(numbers);
      await order(links, { cutOff: numbers });
    },
    async stop() {
      await Promise.all([...servers.map(({ process }) => ended(process)), ended(links)]);
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    for (const server of servers) server.process = run(server);
    await cluster.leader();
    await eventually("sessions can be made", () => sessionOn(servers), ELECTION_MS);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

async function choosePlaces(count: number): Promise<readonly Place[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const [port, serf, http] = await Promise.all([freePort(), freePort(), freePort()]);
      return { shown: `127.0.2.${at + 1}`, real: `127.0.1.${at + 1}`, port, serf, http };
    }),
  );
}

async function configure(
  folder: string,
  places: readonly Place[],
  number: number,
  { config = {} }: ConsulClusterOptions,
): Promise<Server> {
  const place = places[number] as Place;
  const { shown, real, port, serf, http } = place;
  const name = `server-${number}`;
  const file = join(folder, `${name}.json`);
  const agent = {
    data_dir: join(folder, name),
    node_name: name,
    server: true,
    bootstrap_expect: places.length,
    bind_addr: real,
    advertise_addr: shown,
    // Gossip is not relayed: who is alive is known on both sides of a cut, who may write is not.
    serf_lan: shown,
    client_addr: "127.0.0.1",
    retry_join: places.map((one) => `${one.shown}:${one.serf}`),
    retry_interval: "1s",
    ports: { http, server: port, serf_lan: serf, serf_wan: -1, grpc: -1, dns: -1, https: -1 },
    performance: { raft_multiplier: 1 },
    limits: { http_max_conns_per_client: 2000 },
    disable_update_check: true,
    log_level: "warn",
    ...config,
  };
  await writeFile(file, JSON.stringify(agent));
  return { name, file, http: `http://127.0.0.1:${http}`, peer: `${shown}:${port}`, process: undefined };
}

function run({ file }: Server): ChildProcess {
  return spawn("consul", ["agent", `-config-file=${file}`], { stdio: "ignore" });
}

async function startLinks(places: readonly Place[]): Promise<ChildProcess> {
  const child = fork(LINKS, {
    execArgv: ["--import", "tsx"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  await order(child, { servers: places });
  return child;
}

async function order(links: ChildProcess, message: LinkSettings | LinkOrder): Promise<void> {
  const answered = once(links, "message", { signal: AbortSignal.timeout(ELECTION_MS) });
  links.send(message);
  await answered;
}

async function ended(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

function serverAt(servers: readonly Server[], number: number): Server {
  const server = servers[number];
  if (!server) throw new Error(`there is no server ${number}`);
  return server;
}

function agreedLeader(servers: readonly Server[], apart: ReadonlySet<number>): Promise<number> {
  return eventually(
    "the servers agree on a leader",
    async () => {
      const asked = servers.filter(({ process }, number) => process && !apart.has(number));
      const seen = await Promise.all(asked.map(leaderSeenBy));
      const number = servers.findIndex(({ peer }) => peer === seen[0]);
      const agreed = seen.every((one) => one === seen[0]) && asked.includes(servers[number] as Server);
      return agreed ? number : undefined;
    },
    ELECTION_MS,
  );
}

/** The leader's address as this server knows it, if it knows one. */
async function leaderSeenBy({ http }: Server): Promise<string | undefined> {
  const answer = await fetch(`${http}/v1/status/leader`, { signal: AbortSignal.timeout(2_000) });
  const leader: unknown = answer.ok ? await answer.json() : "";
  return typeof leader === "string" && leader !== "" ? leader : undefined;
}

/** A session needs its agent's node in the catalog, which is there a moment after the election. */
async function sessionOn(servers: readonly Server[]): Promise<true | undefined> {
  for (const { http } of servers) {
    const made = await fetch(`${http}/v1/session/create`, { method: "PUT", body: '{"Checks":[]}' });
    // With rules in force a stranger is refused, and the rules are what the asker has to bring.
    if (made.status === 403) continue;
    if (!made.ok) return undefined;
    const { ID } = (await made.json()) as { ID: string };
    await fetch(`${http}/v1/session/destroy/${ID}`, { method: "PUT" });
  }
  return true;
}
