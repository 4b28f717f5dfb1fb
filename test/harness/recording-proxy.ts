import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";

/** Stands in front of one HTTP server and remembers what was asked to be changed there. */
export interface RecordingProxy {
  readonly address: string;
  /** `POST /v2/apps`: every request that is no GET, in the order of arrival. */
  readonly writes: readonly string[];
  stop(): Promise<void>;
}

/** @param onWrite told of each write before it is passed on, with how many there were. */
export async function recordingProxy(
  target: string,
  onWrite: (count: number) => void = () => undefined,
): Promise<RecordingProxy> {
  const writes: string[] = [];
  const under = new Set<ClientRequest>();
  function pass(incoming: IncomingMessage, outgoing: ServerResponse) {
    const { method = "GET", url = "/", headers } = incoming;
    if (method !== "GET") {
      writes.push(`${method} ${url.split("?")[0]}`);
      onWrite(writes.length);
    }
    const onward = request(new URL(url, target), { method, headers, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    under.add(onward);
    onward.on("close", () => under.delete(onward));
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  }
  const server = createServer(pass);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const place = server.address();
  const port = typeof place === "object" && place ? place.port : 0;
  return {
    address: `http://127.0.0.1:${port}`,
    writes,
    async stop() {
      for (const onward of under) onward.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
