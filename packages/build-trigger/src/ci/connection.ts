import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import { redact, SluiceError } from "@sluice/core";
import axios, { type AxiosRequestConfig, type AxiosResponse } from "axios";

/** Files of a TLS client, PEM. */
export interface CiTls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export type CiAnswer = AxiosResponse<string>;
/** Any status is an answer; no answer is CI_UNREACHABLE. */
export type CiConnection = (request: AxiosRequestConfig, signal: AbortSignal) => Promise<CiAnswer>;

const TIMEOUT_MS = 10_000;
const LARGEST_ANSWER = 4 * 1024 * 1024;

/** @param name for people: `Jenkins`. */
export function ciConnection(name: string, base: URL, tls: CiTls): CiConnection {
  const files = Object.entries(tls).flatMap(([kind, file]) => (file ? [[kind, readFileSync(file)]] : []));
  const client = axios.create({
    httpAgent: new Agent({ keepAlive: true }),
    httpsAgent: new TlsAgent({ keepAlive: true, ...Object.fromEntries(files) }),
    proxy: false,
    maxRedirects: 0,
    maxContentLength: LARGEST_ANSWER,
    responseType: "text",
    transformResponse: [(body: unknown) => body],
    validateStatus: () => true,
  });
  return async (request, signal) => {
    try {
      const both = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
      return await client.request<string>({ ...request, signal: both });
    } catch (error) {
      signal.throwIfAborted();
      const code = (error as { code?: unknown }).code;
      const why = code === "ERR_CANCELED" ? `no answer within ${TIMEOUT_MS / 1000} s` : String(code);
      throw new SluiceError("CI_UNREACHABLE", `${name} does not answer at ${redact(base.origin)}: ${why}`);
    }
  };
}

/** Maps what is no success; never the body, which may hold anything. */
export function refusal(name: string, { status }: CiAnswer, about: string): SluiceError {
  if (status === 401 || status === 403)
    return new SluiceError("CI_DENIED", `${name} refused the credentials for ${about} (${status})`);
  if (status >= 400 && status < 500 && status !== 408 && status !== 429)
    return new SluiceError("CI_REFUSED", `${name} refused ${about} (${status})`);
  return new SluiceError("CI_UNREACHABLE", `${name} cannot take ${about} now (${status})`);
}

/** The JSON of an answer. @throws CI_UNREACHABLE where it holds none: a login page, a proxy's error. */
export function jsonOf<T>(name: string, answer: CiAnswer): T {
  try {
    const value: unknown = JSON.parse(answer.data);
    if (typeof value === "object" && value !== null) return value as T;
  } catch {
    // Told below.
  }
  throw new SluiceError("CI_UNREACHABLE", `${name} answered with something that is no JSON`, {
    hint: `Check that the address is ${name}'s own, with no login page or proxy in between.`,
  });
}
