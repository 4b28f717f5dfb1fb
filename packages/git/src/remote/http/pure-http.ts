import { SluiceError } from "@sluice/core";
import type { GitHttpRequest, GitHttpResponse, HttpClient } from "isomorphic-git";
import type { Credential, RemoteAccess } from "../access.ts";
import { ask, type HttpAnswer } from "./http-client.ts";

export interface PureHttpOptions {
  readonly access: RemoteAccess;
  readonly credential: Credential;
  /** Of all answers together. */
  readonly mostBytes: number;
  readonly signal: AbortSignal;
}

/** The network as isomorphic-git wants it. It follows no redirections: the address is known by then. */
export function pureHttp({ access, credential, mostBytes, signal }: PureHttpOptions): HttpClient {
  const { authorization } = credential;
  let received = 0;

  async function* counted({ body }: HttpAnswer): AsyncIterableIterator<Uint8Array> {
    for await (const part of body as AsyncIterable<Buffer>) {
      received += part.length;
      if (received > mostBytes) {
        body.destroy();
        const message = `the fetch brought more than ${mostBytes} bytes (limits.maxFetchBytes)`;
        throw new SluiceError("LIMIT_EXCEEDED", message);
      }
      yield part;
    }
  }

  return {
    async request({ url, method, headers, body }: GitHttpRequest): Promise<GitHttpResponse> {
      const parts: Uint8Array[] = [];
      for await (const part of body ?? []) parts.push(part);
      const answer = await ask(
        {
          url,
          method: method === "POST" ? "POST" : "GET",
          headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
          ...(body ? { body: Buffer.concat(parts) } : {}),
          signal,
        },
        access,
      );
      if (answer.status === 401 || answer.status === 403) {
        answer.body.destroy();
        throw new SluiceError(
          "GIT_DENIED",
          `${new URL(url).origin} refused the credentials (${answer.status})`,
        );
      }
      const named = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
      return {
        url,
        method: method ?? "GET",
        statusCode: answer.status,
        statusMessage: answer.body.statusMessage ?? "",
        headers: Object.fromEntries(named) as Record<string, string>,
        body: counted(answer),
      };
    },
  };
}
