import { spawnSync } from "node:child_process";
import { Agent, request } from "node:http";
import { content, pathOf } from "./mirror-repository.ts";

/** Consul 1.8's limit; later ones take twice as many. */
const OPERATIONS = 64;

/** Milliseconds a bare loop of full transactions takes to write these files, so many requests under way at a time. */
export async function writeFloor(
  address: string,
  prefix: string,
  files: number,
  inFlight: number,
): Promise<number> {
  const values = Array.from({ length: files }, (_, number) => content(number, 0));
  let next = 0;
  return timed(inFlight, async (agent) => {
    while (next < files) {
      const from = next;
      next += OPERATIONS;
      const operations = values.slice(from, next).map((value, at) => ({
        KV: { Verb: "cas", Key: `${prefix}/${pathOf(from + at)}`, Value: value.toString("base64"), Index: 0 },
      }));
      await put(`${address}/v1/txn`, JSON.stringify(operations), agent);
    }
  });
}

/** Milliseconds one request for each file takes, so many under way at a time: what a tool without transactions cannot be faster than. */
export async function requestEachFloor(
  address: string,
  prefix: string,
  files: number,
  inFlight: number,
): Promise<number> {
  let next = 0;
  return timed(inFlight, async (agent) => {
    for (let number = next++; number < files; number = next++)
      await put(`${address}/v1/kv/${prefix}/${pathOf(number)}`, content(number, 0), agent);
  });
}

/** Milliseconds so many workers take side by side, with a connection each. */
async function timed(workers: number, work: (agent: Agent) => Promise<void>): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: workers });
  const start = performance.now();
  await Promise.all(Array.from({ length: workers }, () => work(agent)));
  const took = performance.now() - start;
  agent.destroy();
  return took;
}

/** Milliseconds `node -e 0` takes. */
export function nodeStart(): number {
  const samples = Array.from({ length: 5 }, () => {
    const start = performance.now();
    spawnSync(process.execPath, ["-e", "0"]);
    return performance.now() - start;
  });
  return samples.sort((a, b) => a - b)[2] as number;
}

/** Milliseconds of one small transaction, the median of many. */
export async function smallTransaction(address: string, prefix: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const samples: number[] = [];
  for (let round = 0; round < 50; round++) {
    const Value = content(0, round).toString("base64");
    const start = performance.now();
    const operations = [{ KV: { Verb: "set", Key: `${prefix}/small`, Value } }];
    await put(`${address}/v1/txn`, JSON.stringify(operations), agent);
    samples.push(performance.now() - start);
  }
  agent.destroy();
  return samples.sort((a, b) => a - b)[25] as number;
}

export function put(url: string, body: string | Uint8Array, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "PUT", agent }, (response) => {
      response.resume();
      response.once("end", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${url}: ${response.statusCode}`));
      });
    });
    sent.once("error", reject);
    sent.end(body);
  });
}
