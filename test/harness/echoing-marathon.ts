import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A Marathon that says back what it was sent, in each way that servers and proxies do. */
export interface EchoingMarathon {
  readonly address: string;
  /** The value of the header `Authorization` of the newest request. */
  readonly authorization: string | undefined;
  stop(): Promise<void>;
}

type Refusal = (sent: string, response: ServerResponse) => void;

/** By app: how a write of it is refused. All others go on to the real one. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  "/invalid": (sent, response) => {
    const { cmd, args, env } = JSON.parse(sent) as { cmd?: string; args?: string[]; env: object };
    const details = [
      { path: "/env(PLAIN)", errors: [`not accepted: ${JSON.stringify(env)}`] },
      { path: "/cmd", errors: [`not accepted: ${cmd ?? args?.join(" ")}`] },
      { path: "/", errors: [sent] },
    ];
    answer(response, 422, { message: `Object is not valid: ${sent}`, details });
  },
  "/malformed": (sent, response) => answer(response, 400, { message: `cannot read ${sent}` }),
  "/page": (sent, response) =>
    response.writeHead(503, { "content-type": "text/html" }).end(`<html><pre>${sent}</pre></html>`),
  "/conflict": (sent, response) => answer(response, 409, { message: `exists: ${sent}` }),
  "/moved": (sent, response) => {
    const { fetch } = JSON.parse(sent) as { fetch: { uri: string }[] };
    response.writeHead(302, { location: `${fetch[0]?.uri}/v2/apps` }).end(sent);
  },
};

/** This one can be made, and then not be changed. */
const LATER = "/page";

/** The app whose last task died with everything in its last words. */
const CRASHED = "/crashed";

export async function echoingMarathon(marathon: string): Promise<EchoingMarathon> {
  let authorization: string | undefined;
  async function pass(request: IncomingMessage, response: ServerResponse) {
    const { method = "GET", url = "/", headers } = request;
    authorization = headers.authorization ?? authorization;
    const sent = await textOf(request);
    const app = sent === "" ? "" : ((JSON.parse(sent) as { id?: string }).id ?? "");
    const refuse = method === "GET" || (app === LATER && method === "POST") ? undefined : REFUSALS[app];
    if (refuse) return refuse(sent, response);
    const real = await fetch(`${marathon}${url}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(sent === "" ? {} : { body: sent }),
    });
    const text = await real.text();
    const type = { "content-type": "application/json" };
    response.writeHead(real.status, type).end(method === "GET" ? withLastWords(text) : text);
  }
  const server = createServer((request, response) => {
    // Hints are not needed here: without them the engine asks.
    if (request.url?.startsWith("/v2/events")) response.writeHead(503).end();
    else pass(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get authorization() {
      return authorization;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of request.setEncoding("utf8")) text += part as string;
  return text;
}

function withLastWords(text: string): string {
  let body: { app?: Record<string, unknown>; apps?: Record<string, unknown>[] };
  try {
    body = JSON.parse(text) as typeof body;
  } catch {
    return text;
  }
  for (const app of [...(body.apps ?? []), ...(body.app ? [body.app] : [])]) {
    if (app.id !== CRASHED) continue;
    const message = `died of ${JSON.stringify(app)}`;
    const timestamp = new Date(Date.now() + 1_000).toISOString();
    Object.assign(app, { tasksRunning: 0, lastTaskFailure: { appId: CRASHED, message, timestamp } });
  }
  return JSON.stringify(body);
}
