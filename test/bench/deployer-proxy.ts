import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** Stands between the engine and its scheduler, and counts. */
export interface CountingProxy {
  readonly address: string;
  /** Milliseconds, by the monotonic clock, when the next write arrives. */
  nextWrite(): Promise<number>;
  /** Whole lists that were asked for, and the bytes of all answers. */
  readonly lists: number;
  readonly bytes: number;
  readonly writes: number;
  stop(): Promise<void>;
}

export async function countingProxy(target: string): Promise<CountingProxy> {
  const agent = new Agent({ keepAlive: true });
  const seen = { lists: 0, bytes: 0, writes: 0 };
  let waiting: ((at: number) => void)[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = "GET", url = "/", headers } = incoming;
    if (method !== "GET") {
      seen.writes += 1;
      const at = performance.now();
      for (const tell of waiting.splice(0)) tell(at);
    } else if (url.startsWith("/v2/apps?")) seen.lists += 1;
    const onward = request(new URL(url, target), { method, headers, agent }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on("data", (chunk: Buffer) => (seen.bytes += chunk.length));
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    nextWrite: () => new Promise((resolve) => waiting.push(resolve)),
    get lists() {
      return seen.lists;
    },
    get bytes() {
      return seen.bytes;
    },
    get writes() {
      return seen.writes;
    },
    async stop() {
      waiting = [];
      server.closeAllConnections();
      agent.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
