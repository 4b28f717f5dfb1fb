import { existsSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { isJsonObject, type Json, type JsonObject, redact, SluiceError } from "@sluice/core";
import Docker from "dockerode";
import type { HttpAnswer } from "../http/connection.ts";
import { laneLimit } from "../http/lanes.ts";
import type { HttpOptions } from "../http/options.ts";

/** How to reach a Docker Engine that is a manager of the swarm. */
export interface DockerOptions
  extends Pick<HttpOptions, "ca" | "cert" | "key" | "timeoutMs" | "concurrency"> {
  /** Tried in order: `unix:///var/run/docker.sock`, `tcp://manager-1:2376` (with TLS where `ca` or `cert` is given), `https://…`. */
  readonly addresses: readonly string[];
}

export interface DockerRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Without its query: `/services`. */
  readonly path: string;
  /** Objects among the values are sent as JSON. */
  readonly query?: Readonly<Record<string, Json>>;
  readonly body?: JsonObject;
  /** Sent as `X-Registry-Auth`, for the nodes to pull an image with. */
  readonly registryAuth?: JsonObject | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A connection to the Engine API: any status is an answer, and no answer is SCHEDULER_UNREACHABLE. */
export interface DockerConnection {
  ask(request: DockerRequest): Promise<HttpAnswer>;
  /** An answer that goes on until the signal aborts. @throws where it does not begin. */
  stream(request: DockerRequest & { readonly signal: AbortSignal }): Promise<IncomingMessage>;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_LANES = 8;
/** Failures before a byte of the request was sent: then a write may be tried elsewhere. */
const NEVER_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
]);

/** @throws CONFIG_INVALID for an address it cannot use. */
export function dockerConnection(options: DockerOptions): DockerConnection {
  const clients = options.addresses.map((address) => ({ address, client: clientOf(address, options) }));
  if (clients.length === 0) throw new SluiceError("CONFIG_INVALID", "Docker needs at least one address");
  const lane = laneLimit(options.concurrency ?? DEFAULT_LANES);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  let preferred = 0;

  async function ask(request: DockerRequest): Promise<HttpAnswer> {
    let failure: SluiceError | undefined;
    for (let turn = 0; turn < clients.length; turn++) {
      const { address, client } = clients[preferred] as (typeof clients)[number];
      const signals = [...(request.signal ? [request.signal] : []), AbortSignal.timeout(timeoutMs)];
      try {
        return await answerTo(client, request, AbortSignal.any(signals));
      } catch (error) {
        request.signal?.throwIfAborted();
        preferred = (preferred + 1) % clients.length;
        const code = codeOf(error);
        failure = unanswered(address, code);
        if (failure.code === "SCHEDULER_DENIED" || (request.method !== "GET" && !NEVER_SENT.has(code)))
          throw failure;
      }
    }
    throw failure;
  }

  return {
    ask: (request) => lane(() => ask(request)),
    async stream(request) {
      const { client } = clients[preferred] as (typeof clients)[number];
      try {
        return (await dial(client, request, request.signal, true)) as IncomingMessage;
      } catch (error) {
        preferred = (preferred + 1) % clients.length;
        throw error;
      }
    },
  };
}

function clientOf(address: string, { ca, cert, key }: DockerOptions): Docker {
  // Names every option: those left out would be taken from DOCKER_HOST and its like.
  const unset = {
    host: undefined,
    port: undefined,
    socketPath: undefined,
    username: undefined,
    timeout: undefined,
  };
  const tls = { ca, cert, key };
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol === "unix:")
    return new Docker({
      ...unset,
      socketPath: url.pathname,
      protocol: "http",
      pathPrefix: "/",
    } as Docker.DockerOptions);
  if (!url || !["tcp:", "http:", "https:"].includes(url.protocol))
    throw new SluiceError(
      "CONFIG_INVALID",
      `"${redact(address)}" is no address of a Docker Engine: write unix:///path, tcp://host:port or https://host:port`,
    );
  const secure = url.protocol === "https:" || (url.protocol === "tcp:" && (ca ?? cert) !== undefined);
  const settings = { ...unset, ...tls, protocol: secure ? "https" : "http", pathPrefix: "/" };
  const port = url.port || (secure ? "2376" : "2375");
  return new Docker({ ...settings, host: url.hostname, port } as Docker.DockerOptions);
}

/** What docker-modem rejects with where an answer has another status than those it was told to expect. */
interface UnexpectedStatus {
  readonly statusCode?: unknown;
  readonly json?: unknown;
}

async function answerTo(client: Docker, request: DockerRequest, signal: AbortSignal): Promise<HttpAnswer> {
  try {
    const body = await dial(client, request, signal, false);
    return { status: 200, text: "", json: jsonOf(body) };
  } catch (error) {
    const { statusCode, json } = error as UnexpectedStatus;
    if (typeof statusCode !== "number") throw error;
    return { status: statusCode, text: "", json: jsonOf(json) };
  }
}

/** docker-modem never calls back where an answer is cut short or its signal aborts in the middle, so the signal speaks itself. */
function dial(
  client: Docker,
  request: DockerRequest,
  signal: AbortSignal,
  isStream: boolean,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    if (signal.aborted) return giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    const { method, path, query = {}, body = {}, registryAuth } = request;
    client.modem.dial(
      {
        // A path that ends in a question mark is given the query.
        path: Object.keys(query).length > 0 ? `${path}?` : path,
        method,
        options: { _query: query, _body: body },
        abortSignal: signal,
        isStream,
        ...(registryAuth ? { authconfig: registryAuth } : {}),
        statusCodes: { 200: true, 201: true, 202: true, 204: true },
      },
      (error: unknown, data: unknown) => {
        signal.removeEventListener("abort", giveUp);
        if (error) reject(error as Error);
        else resolve(data);
      },
    );
  });
}

/** docker-modem gives what is no JSON as a Buffer. */
function jsonOf(body: unknown): Json | undefined {
  return Array.isArray(body) || (isJsonObject(body as Json) && !Buffer.isBuffer(body))
    ? (body as Json)
    : undefined;
}

function unanswered(address: string, code: string): SluiceError {
  if (code === "EACCES" || code === "EPERM")
    return new SluiceError(
      "SCHEDULER_DENIED",
      `Docker's socket at ${redact(address)} may not be used: ${code}`,
      {
        hint: "Run the engine as a user who may use Docker, for example a member of the group docker.",
      },
    );
  const path = address.startsWith("unix:") ? address.slice("unix://".length) : undefined;
  const missing = path !== undefined && !existsSync(path) ? " (there is no such socket)" : "";
  return new SluiceError(
    "SCHEDULER_UNREACHABLE",
    `Docker does not answer at ${redact(address)}: ${code}${missing}`,
  );
}

/** A short word for a failed exchange. */
function codeOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (code === "ABORT_ERR" || name === "TimeoutError" || name === "AbortError") return "no answer in time";
  return typeof code === "string" ? code : "the connection failed";
}
