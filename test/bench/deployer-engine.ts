import { freePort } from "../harness/free-port.ts";
import { type EngineProcess, startProcess } from "./mirror-engine.ts";

/** Mirror, deployer and embedded Consul in one process, with one environment `bench` whose jobs go to one Marathon. */
export interface DeployingEngine {
  readonly process: EngineProcess;
  /** Milliseconds, by the monotonic clock, when this commit was found to be deployed: every job healthy. */
  deployed(commit: string): Promise<number>;
  stop(): Promise<void>;
}

export interface DeployingEngineOptions {
  readonly repository: string;
  readonly marathon: string;
  readonly concurrency: number;
  /** A Consul server; the embedded one where absent. */
  readonly consul: string | undefined;
  readonly prefix: string;
  /** Default: as long as no round comes during a measurement. */
  readonly driftInterval?: string;
}

const ENVIRONMENT = "bench";
const DEADLINE_MS = 900_000;

/** What the engine marks its jobs with. */
export function ownerOf(prefix: string): string {
  return `${prefix}-${ENVIRONMENT}`;
}

export async function deployingEngine(options: DeployingEngineOptions): Promise<DeployingEngine> {
  const { repository, marathon, concurrency, consul, prefix, driftInterval = "1h" } = options;
  const consulPort = await freePort();
  const address = consul ?? `http://127.0.0.1:${consulPort}`;
  const process = await startProcess({
    roles: [...(consul === undefined ? ["consul"] : []), "mirror", "deployer"],
    config: {
      prefix,
      ...(consul === undefined ? { embedded: { consulPort } } : { consul: { address } }),
      lock: { ttl: "10s", delay: "1ms" },
      environments: {
        [ENVIRONMENT]: {
          source: { repository, interval: "30s" },
          targets: { apps: { type: "marathon", addresses: [marathon], concurrency } },
          driftInterval,
        },
      },
    },
  });
  return {
    process,
    async deployed(commit) {
      const until = performance.now() + DEADLINE_MS;
      for (;;) {
        const text = await deployment(`${address}/v1/kv/${prefix}/${ENVIRONMENT}/deployment?raw`);
        const at = performance.now();
        if (isDone(text, commit)) return at;
        if (at > until) throw new Error(`${commit} is not deployed: ${text}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    stop: process.stop,
  };
}

async function deployment(url: string): Promise<string> {
  const answer = await fetch(url).catch(() => undefined);
  return answer?.ok ? answer.text() : "";
}

function isDone(text: string, commit: string): boolean {
  if (text === "") return false;
  const { applied, state } = JSON.parse(text) as { applied?: string; state: string };
  return state === "healthy" && applied?.endsWith(commit) === true;
}
