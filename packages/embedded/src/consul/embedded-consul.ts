import { once } from "node:events";
import type { Server } from "node:net";
import { type Clock, systemClock } from "@sluice/core";
import { assemble } from "./assembly.ts";
import { openStore, reason } from "./store/store.ts";

export interface EmbeddedConsulOptions {
  /** Folder of the data; created if missing. One server at a time may use it. */
  dataDir: string;
  /** Default `127.0.0.1`. There is no access control: whoever reaches the port may read and write everything. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Name of the agent's own node in the catalog; default `sluice`. */
  nodeName?: string;
  clock?: Clock;
  /** In [0, 1); spreads the ends of blocking queries. */
  random?: () => number;
  log?: (event: EmbeddedConsulEvent) => void;
}

export type EmbeddedConsulEvent =
  | { type: "consul.started"; address: string; dataDir: string }
  | { type: "consul.stopped"; address: string }
  | { type: "consul.session-expired"; session: string }
  | { type: "consul.error"; message: string };

export interface EmbeddedConsul {
  /** `http://HOST:PORT`. */
  address: string;
  port: number;
  /** Answers the blocking queries that wait, ends all connections and closes the store. */
  stop(): Promise<void>;
}

/**
 * A one-machine stand-in for Consul that speaks its HTTP API: KV, transactions, sessions and locks, catalog, health
 * and agent. What it has acknowledged survives a kill of the process.
 *
 * @throws Error with one clear sentence when the data folder or the port cannot be used; the system's error, with its
 * code, is its `cause`.
 */
export async function embeddedConsul(options: EmbeddedConsulOptions): Promise<EmbeddedConsul> {
  const { dataDir, host = "127.0.0.1", port = 0, log = () => undefined } = options;
  const store = await openStore(dataDir);
  const { nodeName = "sluice", clock = systemClock, random = Math.random } = options;
  const parts = assemble(store, { host, nodeName, clock, random, log });
  let actual = 0;
  try {
    actual = await listen(parts.server, host, port);
    await parts.begin();
  } catch (error) {
    await parts.end();
    throw error;
  }
  const address = `http://${host.includes(":") ? `[${host}]` : host}:${actual}`;
  log({ type: "consul.started", address, dataDir });
  let stopping: Promise<void> | undefined;
  return {
    address,
    port: actual,
    stop() {
      stopping ??= parts.end().then(() => log({ type: "consul.stopped", address }));
      return stopping;
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (cause) {
    throw new Error(`The embedded Consul cannot listen on ${host}:${port}: ${reason(cause)}.`, { cause });
  }
  const address = server.address();
  return typeof address === "object" && address ? address.port : port;
}
