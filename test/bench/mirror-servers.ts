import { freePort } from "../harness/free-port.ts";
import { hasConsul } from "../servers/available.ts";
import { startRealConsul } from "../servers/consul.ts";
import { startConsulCluster } from "../servers/consul-cluster.ts";
import { startProcess } from "./mirror-engine.ts";

/** A kind of Consul to measure against. */
export interface ConsulServer {
  readonly name: string;
  /** Undefined where it is not on this machine. */
  start(): Promise<{ readonly address: string; stop(): Promise<void> } | undefined>;
}

export const consulServers: readonly ConsulServer[] = [
  { name: "one Consul server", start: () => startRealConsul() },
  {
    name: "three Consul servers",
    async start() {
      if (!hasConsul()) return undefined;
      const cluster = await startConsulCluster();
      const leader = await cluster.leader();
      return { address: cluster.addresses[leader] as string, stop: cluster.stop };
    },
  },
  {
    name: "the embedded Consul",
    async start() {
      const consulPort = await freePort();
      const engine = await startProcess({ roles: ["consul"], config: { embedded: { consulPort } } });
      const address = `http://127.0.0.1:${consulPort}`;
      await untilItAnswers(address);
      return { address, stop: engine.stop };
    },
  },
];

async function untilItAnswers(address: string): Promise<void> {
  for (const deadline = performance.now() + 30_000; ; ) {
    const answered = await fetch(`${address}/v1/status/leader`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (answered) return;
    if (performance.now() > deadline) throw new Error("the embedded Consul does not answer");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
