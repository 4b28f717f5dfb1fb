import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import type { Json } from "@sluice/core";
import axios, { type AxiosInstance, type AxiosRequestConfig, type AxiosResponse } from "axios";
import type { HttpOptions } from "./options.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With its query: `/v2/apps?embed=apps.counts`. */
  readonly path: string;
  readonly body?: Json;
  readonly signal?: AbortSignal | undefined;
}

/** One exchange with one address. Any status is an answer; a rejection means there was no whole one. */
export type Send = (
  address: string,
  request: HttpRequest,
  authorization: string | undefined,
) => Promise<AxiosResponse<string>>;

const DEFAULT_TIMEOUT_MS = 30_000;
/** A list of ten thousand jobs is tens of megabytes. */
const MOST_BYTES = 400 * 1024 * 1024;

/** A read is sent again where a kept connection turned out to be closed by the other side. */
export function sender(options: HttpOptions): Send {
  const client = clientOf(options);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return async (address, { method, path, body, signal }, authorization) => {
    const config = (): AxiosRequestConfig => ({
      method,
      url: address + path,
      signal: AbortSignal.any([...(signal ? [signal] : []), AbortSignal.timeout(timeoutMs)]),
      headers: {
        ...(authorization === undefined ? {} : { Authorization: authorization }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { data: JSON.stringify(body) }),
    });
    try {
      return await client.request<string>(config());
    } catch (error) {
      const stale = (error as { request?: { reusedSocket?: boolean } }).request?.reusedSocket === true;
      if (method !== "GET" || !stale || codeOf(error) !== "ECONNRESET") throw error;
      return await client.request<string>(config());
    }
  };
}

/** A short word for a failed exchange; messages of clients may hold addresses with credentials. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  if (code === "ERR_CANCELED") return "no answer in time";
  if (code === "ERR_BAD_RESPONSE") return "the answer was cut off";
  return typeof code === "string" ? code : "the connection failed";
}

function clientOf(options: HttpOptions): AxiosInstance {
  const tls = Object.fromEntries(
    (["ca", "cert", "key"] as const).flatMap((key) =>
      options[key] === undefined ? [] : [[key, options[key]]],
    ),
  );
  return axios.create({
    httpAgent: new Agent({ keepAlive: true }),
    httpsAgent: new TlsAgent({ keepAlive: true, ...tls }),
    headers: { Accept: "application/json" },
    // A scheduler is reached as its address says, whatever proxy the environment names.
    proxy: false,
    maxRedirects: 0,
    maxContentLength: MOST_BYTES,
    responseType: "text",
    transformResponse: [(body: unknown) => body],
    validateStatus: () => true,
  });
}
