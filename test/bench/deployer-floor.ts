import { Agent, request } from "node:http";
import { appBody } from "./deployer-jobs.ts";

/** Milliseconds the bare writes of so many apps take a client that does nothing else, so many under way at a time. */
export async function bareWrites(
  marathon: string,
  options: { readonly jobs: number; readonly inFlight: number; readonly owner: string },
): Promise<number> {
  const { jobs, inFlight, owner } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const bodies = Array.from({ length: jobs }, (_, number) => appBody(number, 0, owner));
  let next = 0;
  async function worker() {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++])
      await post(`${marathon}/v2/apps?force=false`, body, agent);
  }
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, worker));
  const took = performance.now() - start;
  agent.destroy();
  return took;
}

function post(url: string, body: string, agent: Agent): Promise<void> {
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.once("end", () => {
        if (response.statusCode === 201) resolve();
        else reject(new Error(`${url}: ${response.statusCode}`));
      });
    });
    sent.once("error", reject);
    sent.end(body);
  });
}
