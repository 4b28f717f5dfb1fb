import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A notice, as the channel `webhook` posts it: a CloudEvents event. */
export interface HeardNotice {
  readonly id: string;
  /** `io.sluice.` and the notice's kind. */
  readonly type: string;
  readonly data: {
    readonly title: string;
    readonly message: string;
    readonly commit?: { readonly id: string; readonly subject?: string; readonly author?: string };
  };
}

/** A team's program that is told by the channel `webhook`. */
export interface Listener {
  readonly url: string;
  readonly heard: readonly HeardNotice[];
  stop(): Promise<void>;
}

export async function startListener(): Promise<Listener> {
  const heard: HeardNotice[] = [];
  const server: Server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      heard.push(JSON.parse(body) as HeardNotice);
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    heard,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
