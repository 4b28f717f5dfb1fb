import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { gitHttpBackend } from "../server/http-backend.ts";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
}

export interface GitServer {
  readonly origin: string;
  /** Of the repository. */
  readonly url: string;
  requests: SeenRequest[];
  /** What must be answered otherwise than by git; true: it was. */
  instead: ((req: IncomingMessage, res: ServerResponse) => boolean) | undefined;
  /** The only `Authorization` that is let in; undefined: everyone is. */
  authorization: string | undefined;
  stop(): Promise<void>;
}

/** A real smart HTTP server of one repository, on a free port of loopback. */
export async function gitServer(
  repository: string,
  tls?: { cert: Buffer; key: Buffer; ca?: Buffer },
): Promise<GitServer> {
  const handler = gitHttpBackend({ repositories: { deploy: repository } });
  const listener = (req: IncomingMessage, res: ServerResponse) => {
    const { authorization } = req.headers;
    git.requests.push({ method: req.method ?? "", path: req.url ?? "", authorization });
    if (git.instead?.(req, res)) return;
    if (git.authorization === undefined || git.authorization === authorization) return void handler(req, res);
    res.writeHead(401, { "www-authenticate": 'Basic realm="deploy"' }).end();
  };
  const mutual = tls?.ca ? { requestCert: true, rejectUnauthorized: true } : {};
  const server = tls ? createTlsServer({ ...tls, ...mutual }, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `${tls ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const git: GitServer = {
    origin,
    url: `${origin}/deploy.git`,
    requests: [],
    instead: undefined,
    authorization: undefined,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return git;
}
