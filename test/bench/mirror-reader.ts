import { Agent, type IncomingMessage, request } from "node:http";

/** A reader that holds a blocking query on one key, as every consumer of Consul does. */
export interface BlockingReader {
  /** When the key first showed a value that fits, by the monotonic clock; asks from the state it saw last. */
  until(fits: (value: string) => boolean, deadlineMs?: number): Promise<number>;
  close(): void;
}

export async function blockingReader(address: string, key: string): Promise<BlockingReader> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let seen = await look(address, key, agent, undefined);
  return {
    async until(fits, deadlineMs = 600_000) {
      const deadline = performance.now() + deadlineMs;
      while (!fits(seen.value)) {
        if (performance.now() > deadline)
          throw new Error(`not within ${deadlineMs} ms; ${key}: ${seen.value}`);
        seen = await look(address, key, agent, seen.index);
      }
      return seen.at;
    },
    close: () => agent.destroy(),
  };
}

interface Sight {
  readonly value: string;
  readonly index: string;
  readonly at: number;
}

function look(address: string, key: string, agent: Agent, index: string | undefined): Promise<Sight> {
  const waits = index === undefined ? "" : `&index=${index}&wait=10s`;
  return new Promise((resolve, reject) => {
    const sent = request(`${address}/v1/kv/${key}?raw${waits}`, { agent }, (response: IncomingMessage) => {
      let value = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (value += chunk));
      response.once("end", () => {
        const at = performance.now();
        const next = String(response.headers["x-consul-index"] ?? "1");
        resolve({ value: response.statusCode === 200 ? value : "", index: next, at });
      });
    });
    sent.once("error", reject);
    sent.end();
  });
}
