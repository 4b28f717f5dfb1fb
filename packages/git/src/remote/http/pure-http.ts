import { messageOf, SluiceError } from "@sluice/core";
import type { GitHttpRequest, GitHttpResponse, HttpClient } from "isomorphic-git";
import type { Credential, RemoteAccess } from "../access.ts";
import { fetchTooLarge } from "../remote.ts";
import { ask, type HttpAnswer } from "./http-client.ts";

export interface PureHttpOptions {
  readonly access: RemoteAccess;
  readonly credential: Credential;
  /** Of all answers together. */
  readonly mostBytes: number;
  readonly signal: AbortSignal;
}

export interface PureHttp extends HttpClient {
  /** @throws what broke an answer off: isomorphic-git takes what came until then for the whole. */
  throwIfBroken(): void;
}

/** The network as isomorphic-git wants it. It follows no redirections: the address is known by then. */
export function pureHttp({ access, credential, mostBytes, signal }: PureHttpOptions): PureHttp {
  const { authorization } = credential;
  let received = 0;
  let broken: unknown;

  async function* counted({ body }: HttpAnswer): AsyncIterableIterator<Uint8Array> {
    try {
      for await (const part of body as AsyncIterable<Buffer>) {
        received += part.length;
        if (received > mostBytes) throw fetchTooLarge(mostBytes);
        yield part;
      }
    } catch (error) {
      broken = error;
      body.destroy();
      throw error;
    }
  }

  return {
    throwIfBroken() {
      if (broken instanceof SluiceError) throw broken;
      if (broken !== undefined)
        throw new SluiceError("GIT_FAILED", `git fetch broke off: ${messageOf(broken)}`, { cause: broken });
    },
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
      refuseDenied(answer, url);
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

function refuseDenied({ status, body }: HttpAnswer, url: string): void {
  if (status !== 401 && status !== 403) return;
  body.destroy();
  throw new SluiceError("GIT_DENIED", `${new URL(url).origin} refused the credentials (${status})`);
}
