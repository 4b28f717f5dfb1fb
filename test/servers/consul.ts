import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { hasConsul } from "./available.ts";

export interface RealConsulOptions {
  /** Merged over the generated agent configuration (Consul's own key names), its `ports` one by one. */
  config?: Record<string, unknown> & { ports?: Record<string, number> };
  /** The token to ask with whether it is ready, where a stranger may not ask. */
  token?: string;
  /** How long the server may take to elect itself; default 30 s. */
  deadlineMs?: number;
}

export interface RealConsul {
  /** `http://127.0.0.1:PORT`. */
  address: string;
  /** Ends the agent at once and starts it again on the same data. */
  restart(): Promise<void>;
  /** Ends the agent and removes its data. */
  stop(): Promise<void>;
}

/** One real Consul server on free loopback ports, ready for writes; `undefined` where Consul is not installed. */
export async function startRealConsul(options: RealConsulOptions = {}): Promise<RealConsul | undefined> {
  if (!hasConsul()) return undefined;
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnFreePorts(options);
    } catch (error) {
      // Another process may have taken a port since it was free.
      if (attempt === ATTEMPTS || !/address already in use/.test(String(error))) throw error;
    }
  }
}

const ATTEMPTS = 5;

async function startOnFreePorts(options: RealConsulOptions): Promise<RealConsul> {
  const folder = await mkdtemp(join(tmpdir(), "real-consul-"));
  const ports = await freePorts(5);
  const file = join(folder, "agent.json");
  const generated = agentConfig(join(folder, "data"), ports);
  const merged = { ...generated, ...options.config, ports: { ...generated.ports, ...options.config?.ports } };
  await writeFile(file, JSON.stringify(merged));
  const address = `http://127.0.0.1:${ports[0]}`;
  let child: ChildProcess | undefined;
  async function start() {
    child = spawn("consul", ["agent", `-config-file=${file}`], { stdio: ["ignore", "pipe", "pipe"] });
    const log = tail(child);
    await ready(address, child, options).catch(async (cause: unknown) => {
      await stop();
      throw new Error(`Consul did not start: ${log()}`, { cause });
    });
  }
  async function end() {
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  }
  async function stop() {
    await end();
    await rm(folder, { recursive: true, force: true });
  }
  await start();
  return {
    address,
    async restart() {
      await end();
      await start();
    },
    stop,
  };
}

function agentConfig(dataDir: string, ports: number[]) {
  const [http, server, serfLan, serfWan, grpc] = ports;
  return {
    data_dir: dataDir,
    node_name: "real",
    server: true,
    bootstrap: true,
    bind_addr: "127.0.0.1",
    client_addr: "127.0.0.1",
    ports: { http, server, serf_lan: serfLan, serf_wan: serfWan, grpc, dns: -1, https: -1 },
    performance: { raft_multiplier: 1 },
    limits: { http_max_conns_per_client: 2000 },
    disable_update_check: true,
    log_level: "warn",
  };
}

async function ready(
  address: string,
  child: ChildProcess,
  { token = "", deadlineMs = 30_000 }: RealConsulOptions,
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`exit code ${child.exitCode}`);
    if (await answers(address, token).catch(() => false)) return;
    if (Date.now() > deadline) throw new Error(`no leader within ${deadlineMs} ms`);
    await delay(50);
  }
}

/** A leader, a writable KV, and the agent's own node in the catalog (sessions need it). */
async function answers(address: string, token: string): Promise<boolean> {
  const ask = async (path: string, init: RequestInit = {}) =>
    fetch(`${address}/v1/${path}`, {
      ...init,
      headers: token === "" ? {} : { "x-consul-token": token },
      signal: AbortSignal.timeout(2_000),
    });
  const leader = await (await ask("status/leader")).json();
  if (!leader) return false;
  const put = await ask("kv/ready", { method: "PUT", body: "1" });
  if ((await put.text()) !== "true") return false;
  await (await ask("kv/ready", { method: "DELETE" })).text();
  const checks = (await (await ask("health/node/real")).json()) as unknown[];
  return checks.length > 0;
}

function tail(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-4_000);
    });
  }
  return () => text;
}

/** Ports that were free a moment ago, all different because all are held while asking. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
