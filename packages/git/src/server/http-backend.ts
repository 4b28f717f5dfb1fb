import { type ChildProcess, spawn } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable, Writable } from "node:stream";
import { PUSH_AGENT } from "../committer/push.ts";
import { endGroup, gitEnvironment } from "../program.ts";
import { endOfCgiHead, parseCgiHead } from "./cgi-answer.ts";

export interface GitHttpBackendOptions {
  /** The repositories that can be reached: name in the URL (`deploy` for `/deploy.git`) → folder. No other is. */
  readonly repositories: Readonly<Record<string, string>>;
  /** What stands before the name in a URL's path. Default: `/`. */
  readonly prefix?: string;
  readonly git?: string;
  /** More variables for git and the hooks it runs. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Answers one request; resolves when the answer is out or the client has gone. Never rejects. */
export type GitHttpHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  signal?: AbortSignal,
) => Promise<void>;

/** The three requests of Git's smart HTTP protocol. Files of a repository are never served by name. */
const SMART = /^\/([^/]+?)(?:\.git)?(\/info\/refs|\/git-upload-pack|\/git-receive-pack)$/;

/** Clone, fetch and push over HTTP through `git http-backend`. Who may push is for the caller to decide, before. */
export function gitHttpBackend(options: GitHttpBackendOptions): GitHttpHandler {
  const prefix = (options.prefix ?? "/").replace(/\/+$/, "");

  return async (req, res, signal) => {
    const url = req.url ?? "/";
    const cut = url.indexOf("?");
    const path = cut < 0 ? url : url.slice(0, cut);
    const [, name = "", service = ""] =
      (path.startsWith(prefix) && SMART.exec(path.slice(prefix.length))) || [];
    const folder = Object.hasOwn(options.repositories, name) ? options.repositories[name] : undefined;
    const query = cut < 0 ? "" : url.slice(cut + 1);
    if (folder === undefined || !isSmart(req.method, service, query)) return refuse(req, res);
    const env = { ...cgiEnvironment(req, query), GIT_PROJECT_ROOT: folder, PATH_INFO: service };
    // A group of its own, so that a client that goes away ends git together with the hooks it runs.
    const child = spawn(options.git ?? "git", ["http-backend"], {
      env: { ...gitEnvironment(), ...options.env, ...env },
      stdio: ["pipe", "pipe", "ignore"],
      detached: true,
    });
    await bridge(req, res, child, signal);
  };
}

function isSmart(method: string | undefined, service: string, query: string): boolean {
  if (service !== "/info/refs") return method === "POST";
  return method === "GET" && /^service=git-(upload|receive)-pack$/.test(query);
}

function refuse(req: IncomingMessage, res: ServerResponse): void {
  req.resume();
  res.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("There is no such repository.\n");
}

function cgiEnvironment(req: IncomingMessage, query: string): NodeJS.ProcessEnv {
  const { headers } = req;
  const given = {
    CONTENT_TYPE: headers["content-type"],
    CONTENT_LENGTH: headers["content-length"],
    HTTP_CONTENT_ENCODING: headers["content-encoding"],
    HTTP_GIT_PROTOCOL: headers["git-protocol"]?.toString(),
    GIT_PROTOCOL: headers["git-protocol"]?.toString(),
    REMOTE_ADDR: req.socket.remoteAddress,
  };
  return {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(headers["user-agent"] === PUSH_AGENT ? { SLUICE_FOLLOW: "no" } : {}),
    GATEWAY_INTERFACE: "CGI/1.1",
    SERVER_PROTOCOL: "HTTP/1.1",
    REQUEST_METHOD: req.method ?? "GET",
    QUERY_STRING: query,
    GIT_HTTP_EXPORT_ALL: "1",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "http.receivepack",
    GIT_CONFIG_VALUE_0: "true",
  };
}

interface PipedChild extends ChildProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
}

function bridge(
  req: IncomingMessage,
  res: ServerResponse,
  child: PipedChild & ChildProcess,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      if (child.exitCode === null && child.signalCode === null) endGroup(child, "SIGTERM");
    };
    const gone = () => {
      if (!res.writableFinished) stop();
    };
    const finish = () => {
      signal?.removeEventListener("abort", stop);
      res.off("close", gone);
      req.unpipe(child.stdin);
      req.resume();
      if (!res.headersSent) res.writeHead(502, { "content-type": "text/plain; charset=utf-8" });
      if (!res.writableEnded) res.end();
      resolve();
    };
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
    res.on("close", gone);
    child.on("error", finish);
    child.on("close", finish);
    // git may answer and end before it has read everything, as it does when it refuses a push.
    child.stdin.on("error", () => undefined);
    req.pipe(child.stdin);
    passAnswer(child.stdout, res);
  });
}

function passAnswer(from: Readable, res: ServerResponse): void {
  let head = Buffer.alloc(0);
  const read = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const end = endOfCgiHead(head);
    if (!end) return;
    from.off("data", read);
    const parsed = parseCgiHead(head.subarray(0, end.head).toString("latin1"));
    if (!parsed) return void from.resume();
    for (const [name, value] of parsed.headers) res.setHeader(name, value);
    res.writeHead(parsed.status);
    res.write(head.subarray(end.body));
    from.pipe(res, { end: false });
  };
  from.on("data", read);
}
