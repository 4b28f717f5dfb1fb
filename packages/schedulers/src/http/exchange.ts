import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from "node:http";
import { request as httpsRequest, Agent as TlsAgent } from "node:https";
import { type Json, SluiceError } from "@sluice/core";
import type { HttpOptions } from "./options.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With its query: `/v2/apps?embed=apps.counts`. */
  readonly path: string;
  readonly body?: Json;
  readonly signal?: AbortSignal | undefined;
}

/** An answer that came whole. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly data: string;
}

/** One exchange with one address. Any status is an answer; a rejection means there was no whole one. */
export type Send = (
  address: string,
  request: HttpRequest,
  authorization: string | undefined,
) => Promise<RawAnswer>;

const DEFAULT_TIMEOUT_MS = 30_000;
/** A list of ten thousand jobs is tens of megabytes. */
const MOST_BYTES = 400 * 1024 * 1024;

/**
 * A read is sent again where a kept connection turned out to be closed by the other side. Node's own client, since a rollout
 * makes several requests for each of thousands of jobs: it takes a tenth of the CPU of those built on it.
 */
export function sender(options: HttpOptions): Send {
  const open = opener(options);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return async (address, request, authorization) => {
    try {
      return await exchange(open, address, request, { authorization, timeoutMs });
    } catch (error) {
      const stale = error instanceof StaleConnection;
      if (request.method !== "GET" || !stale) throw stale ? error.cause : error;
      return await exchange(open, address, request, { authorization, timeoutMs });
    }
  };
}

/** A short word for a failed exchange; messages of clients may hold addresses with credentials. */
export function codeOf(error: unknown): string {
  if (error instanceof StaleConnection) return codeOf(error.cause);
  if (error instanceof SluiceError) return error.message;
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" ? code : "the connection failed";
}

/** The other side closed a connection that had served before, without an answer. */
class StaleConnection extends Error {}

type Open = (
  url: URL,
  options: { method: string; headers: Record<string, string | number>; auth: string | null },
) => ClientRequest;

function opener(options: HttpOptions): Open {
  const tls = Object.fromEntries(
    (["ca", "cert", "key"] as const).flatMap((key) =>
      options[key] === undefined ? [] : [[key, options[key]]],
    ),
  );
  const plain = new HttpAgent({ keepAlive: true });
  const secure = new TlsAgent({ keepAlive: true, ...tls });
  return (url, settings) =>
    url.protocol === "https:"
      ? httpsRequest(url, { ...settings, agent: secure })
      : httpRequest(url, { ...settings, agent: plain });
}

function exchange(
  open: Open,
  address: string,
  { method, path, body, signal }: HttpRequest,
  { authorization, timeoutMs }: { authorization: string | undefined; timeoutMs: number },
): Promise<RawAnswer> {
  const url = new URL(address + path);
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const sent = open(url, { method, headers: headersOf(text, authorization), auth: credentialsIn(url) });
    const give = (what: string) => sent.destroy(new SluiceError("SCHEDULER_UNREACHABLE", what));
    const timer = setTimeout(() => give("no answer in time"), timeoutMs);
    const onAbort = () => give("given up");
    signal?.addEventListener("abort", onAbort);
    let answered = false;
    sent.once("close", () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    });
    sent.once("error", (cause: NodeJS.ErrnoException) => {
      const stale = !answered && sent.reusedSocket && cause.code === "ECONNRESET";
      reject(stale ? new StaleConnection("closed", { cause }) : cause);
    });
    sent.once("response", (response) => {
      answered = true;
      wholeText(response).then((data) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, data });
      }, reject);
    });
    sent.end(text);
  });
}

function headersOf(text: string | undefined, authorization: string | undefined) {
  return {
    Accept: "application/json",
    ...(authorization === undefined ? {} : { Authorization: authorization }),
    ...(text === undefined
      ? {}
      : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) }),
  };
}

/** User and password of an address, which Node would send only where no header says otherwise. */
function credentialsIn({ username, password }: URL): string | null {
  if (username === "" && password === "") return null;
  return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
}

function wholeText(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    response.on("data", (part: Buffer) => {
      parts.push(part);
      bytes += part.length;
      if (bytes > MOST_BYTES)
        response.destroy(new SluiceError("SCHEDULER_UNREACHABLE", "the answer is too large"));
    });
    response.once("end", () => resolve(Buffer.concat(parts).toString("utf8")));
    response.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error instanceof SluiceError
          ? error
          : new SluiceError("SCHEDULER_UNREACHABLE", "the answer was cut off"),
      ),
    );
  });
}
