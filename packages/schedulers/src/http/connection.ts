import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import { isJsonObject, type Json, redact, SluiceError } from "@sluice/core";
import axios, { type AxiosInstance, type AxiosRequestConfig, type AxiosResponse } from "axios";
import { laneLimit } from "./lanes.ts";
import { authorization, baseAddresses, type HttpOptions } from "./options.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With its query: `/v2/apps?embed=apps.counts`. */
  readonly path: string;
  readonly body?: Json;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  /** The body where it is JSON. */
  readonly json: Json | undefined;
  readonly text: string;
}

/** A scheduler's HTTP side: any status is an answer, and no answer is SCHEDULER_UNREACHABLE. */
export type HttpConnection = (request: HttpRequest) => Promise<HttpAnswer>;

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_LANES = 8;
/** A node that is not the leader, or has none, answers so. */
const ELSEWHERE = new Set([502, 503, 504]);
/** Failures before a byte of the request was sent: then a write may be tried elsewhere. */
const NEVER_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/** @param name the scheduler's name for people: `Marathon`. */
export function httpConnection(name: string, options: HttpOptions): HttpConnection {
  const addresses = baseAddresses(options);
  if (addresses.length === 0) throw new SluiceError("CONFIG_INVALID", `${name} needs at least one address`);
  const client = clientOf(options);
  const lane = laneLimit(options.concurrency ?? DEFAULT_LANES);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  let preferred = 0;

  async function roundTrip(request: HttpRequest): Promise<HttpAnswer> {
    const reads = request.method === "GET";
    let failure: SluiceError | undefined;
    let answer: HttpAnswer | undefined;
    for (let turn = 0; turn < addresses.length; turn++) {
      const address = addresses[preferred] as string;
      try {
        answer = answerOf(await send(client, address, request, timeoutMs));
        if (!ELSEWHERE.has(answer.status)) return answer;
        preferred = (preferred + 1) % addresses.length;
        if (!reads) return answer;
      } catch (error) {
        request.signal?.throwIfAborted();
        preferred = (preferred + 1) % addresses.length;
        const code = codeOf(error);
        failure = new SluiceError(
          "SCHEDULER_UNREACHABLE",
          `${name} does not answer at ${redact(address)}: ${code}`,
        );
        if (!reads && !NEVER_SENT.has(code)) throw failure;
      }
    }
    if (answer) return answer;
    throw failure;
  }

  return (request) => lane(() => roundTrip(request));
}

function clientOf(options: HttpOptions): AxiosInstance {
  const header = authorization(options);
  const tls = Object.fromEntries(
    (["ca", "cert", "key"] as const).flatMap((key) =>
      options[key] === undefined ? [] : [[key, options[key]]],
    ),
  );
  return axios.create({
    httpAgent: new Agent({ keepAlive: true }),
    httpsAgent: new TlsAgent({ keepAlive: true, ...tls }),
    headers: { Accept: "application/json", ...(header === undefined ? {} : { Authorization: header }) },
    // A scheduler is reached as its address says, whatever proxy the environment names.
    proxy: false,
    maxRedirects: 0,
    responseType: "text",
    transformResponse: [(body: unknown) => body],
    validateStatus: () => true,
  });
}

/** One exchange. A read is sent again where a kept connection turned out to be closed by the other side. */
async function send(
  client: AxiosInstance,
  address: string,
  request: HttpRequest,
  timeoutMs: number,
): Promise<AxiosResponse<string>> {
  const { method, path, body, signal } = request;
  const config = (): AxiosRequestConfig => ({
    method,
    url: address + path,
    signal: AbortSignal.any([...(signal ? [signal] : []), AbortSignal.timeout(timeoutMs)]),
    ...(body === undefined
      ? {}
      : { data: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
  });
  try {
    return await client.request<string>(config());
  } catch (error) {
    const stale = (error as { request?: { reusedSocket?: boolean } }).request?.reusedSocket === true;
    if (method !== "GET" || !stale || codeOf(error) !== "ECONNRESET") throw error;
    return await client.request<string>(config());
  }
}

function answerOf(response: AxiosResponse<string>): HttpAnswer {
  const text = typeof response.data === "string" ? response.data : "";
  try {
    return { status: response.status, text, json: JSON.parse(text) as Json };
  } catch {
    return { status: response.status, text, json: undefined };
  }
}

/** A short word for a failed exchange; messages of clients may hold addresses with credentials. */
function codeOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  if (code === "ERR_CANCELED") return "no answer in time";
  return typeof code === "string" ? code : "the connection failed";
}

/** The member `message` of an error body, first line only: the rest may be a stack trace. */
export function serverMessage(answer: HttpAnswer): string | undefined {
  const message = isJsonObject(answer.json) ? answer.json.message : undefined;
  return typeof message === "string" ? message.split("\n")[0]?.slice(0, 300) : undefined;
}
