import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A write a scheduler was sent. */
export interface JobWrite {
  readonly method: string;
  /** The app's id, such as `/web`. */
  readonly app: string;
  /** `env.VERSION` of what was sent. */
  readonly version: string | undefined;
}

/** Stands between one deployer and its Marathon and keeps count of what each app was sent. */
export interface JobWrites {
  readonly address: string;
  readonly writes: readonly JobWrite[];
  stop(): Promise<void>;
}

/** @param onWrite told of each write once it has arrived, and before the scheduler has it. */
export async function jobWrites(
  marathon: string,
  onWrite: (writes: readonly JobWrite[]) => void = () => undefined,
): Promise<JobWrites> {
  const writes: JobWrite[] = [];
  async function pass(incoming: IncomingMessage, outgoing: ServerResponse) {
    const { method = "GET", url = "/", headers } = incoming;
    const body = await whole(incoming);
    if (method !== "GET") {
      writes.push(writeOf(method, url, body));
      onWrite(writes);
    }
    const onward = request(new URL(url, marathon), { method, headers, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    // A write that has arrived here reaches the scheduler even if its sender is gone, as on any network.
    if (method === "GET") outgoing.on("close", () => onward.destroy());
    onward.end(body);
  }
  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    writes,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function whole(incoming: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function writeOf(method: string, url: string, body: Buffer): JobWrite {
  const sent =
    body.length > 0 ? (JSON.parse(body.toString()) as { id?: string; env?: { VERSION?: string } }) : {};
  const path = url.split("?")[0] ?? "";
  const app = sent.id ?? decodeURIComponent(path.replace(/^\/v2\/apps\/*/, "/"));
  return { method, app, version: sent.env?.VERSION };
}
