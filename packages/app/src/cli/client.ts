import { ERROR_CODES, type ErrorCode, messageOf, SluiceError } from "@sluice/core";
import type { EnvironmentView } from "../http/api.ts";
import type { FollowLine } from "../http/follow.ts";
import { type CliContext, type ServerOptions, serverAddress, serverToken } from "./context.ts";

/** How long a single question may take. Following a deployment has no such limit here; the engine has its own. */
const ANSWER_MS = 30_000;

/** A running engine, as the commands see it. */
export interface EngineClient {
  readonly address: string;
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: object): Promise<T>;
  /** The lines of a streamed answer, as they come. */
  follow(path: string): AsyncIterable<FollowLine>;
  /** The bytes of an answer that goes on until the signal aborts. */
  stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** The environment that is meant: the named one, or the only one. @throws USAGE, NOT_FOUND */
  environment(): Promise<EnvironmentView>;
}

export function engineClient(options: ServerOptions, context: CliContext): EngineClient {
  const address = serverAddress(options, context);
  const token = serverToken(options, context);
  const headers = {
    "content-type": "application/json",
    ...(token ? { authorization: `Bearer ${token}` } : {}),
  };

  async function call(path: string, init: RequestInit, until?: AbortSignal): Promise<Response> {
    const signal = AbortSignal.any([context.signal, until ?? AbortSignal.timeout(ANSWER_MS)]);
    const response = await fetch(`${address}${path}`, { ...init, headers, signal }).catch(
      (cause: unknown) => {
        throw new SluiceError(
          "SERVER_UNREACHABLE",
          `no Sluice engine answers at ${address}: ${reasonOf(cause)}`,
          { cause },
        );
      },
    );
    if (!response.ok) throw await errorOf(response, address);
    return response;
  }

  const client: EngineClient = {
    address,
    get: async <T>(path: string) => (await call(path, {})).json() as Promise<T>,
    post: async <T>(path: string, body: object) =>
      (await call(path, { method: "POST", body: JSON.stringify(body) })).json() as Promise<T>,
    async *follow(path) {
      const { body } = await call(path, {}, context.signal);
      if (body) yield* linesOf(body);
    },
    async stream(path, signal) {
      const { body } = await call(path, {}, signal);
      return body ?? EMPTY;
    },
    async environment() {
      const { environments } = await client.get<{ environments: EnvironmentView[] }>("/api/v1/environments");
      const names = environments.map((one) => one.name).join(", ");
      if (options.environment === undefined && environments.length > 1)
        throw new SluiceError("USAGE", `say which environment with --environment: ${names}`);
      const found =
        options.environment === undefined
          ? environments[0]
          : environments.find((one) => one.name === options.environment);
      if (!found)
        throw new SluiceError(
          "NOT_FOUND",
          `there is no environment "${options.environment}"; there are ${names}`,
        );
      return found;
    },
  };
  return client;
}

const EMPTY: AsyncIterable<Uint8Array> = { async *[Symbol.asyncIterator]() {} };

function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error
    ? error.cause.message || messageOf(error)
    : messageOf(error);
}

async function errorOf(response: Response, address: string): Promise<SluiceError> {
  const body = (await response.json().catch(() => ({}))) as {
    code?: string;
    message?: string;
    hint?: string;
  };
  const code: ErrorCode =
    body.code && body.code in ERROR_CODES ? (body.code as ErrorCode) : "SERVER_UNREACHABLE";
  const message = body.message ?? `${address} answered ${response.status}, which no Sluice engine does`;
  return new SluiceError(code, message, body.hint ? { hint: body.hint } : {});
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncIterable<FollowLine> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const parsed = JSON.parse(line) as FollowLine & { message?: string };
      if (parsed.message !== undefined) throw new SluiceError("INTERNAL", parsed.message);
      yield parsed;
    }
  }
}
