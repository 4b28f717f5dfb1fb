import { setMaxListeners } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { type ErrorCode, isSluiceError, SluiceError } from "@sluice/core";
import { consulError, type Deed, type Failure, failureOf } from "./failure.ts";
import { type CallContext, type CallOptions, callContext, type NpmConsul, npmClient } from "./npm-client.ts";
import { explainTls, type TlsOptions } from "./tls.ts";
import type { TokenSource } from "./token.ts";

export interface Reply<T> {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Undefined where Consul answered with a status that has no body. */
  readonly body: T | undefined;
}

export interface Call<T> extends Deed {
  readonly send: (client: NpmConsul, options: CallOptions) => Promise<[IncomingMessage, T?]>;
  /** Failures that are answers here: they come back as a reply with that body instead of being thrown. */
  readonly accept?: (failure: Failure) => boolean;
  /** True where the request changes nothing, so that sending it again is safe. */
  readonly readOnly?: boolean;
  /** True for a request the server holds open: it gets a connection of its own beside the pool. */
  readonly waits?: boolean;
  /** Makes what a successful answer's bytes are written to, anew for each attempt; such an answer has no body then. */
  readonly into?: () => Writable;
  /** Put behind the request's query, encoded: what the client does not know. */
  readonly query?: string;
  /** Makes the request's path one that the client does not know. */
  readonly path?: (path: string) => string;
  /** Milliseconds; the transport's own where it is not given. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** One way to Consul: timeouts, tokens, abort signals and the error map for every request. */
export interface Transport {
  readonly timeoutMs: number;
  /** @throws KV_UNREACHABLE, KV_DENIED, KV_FILTERED, KV_INVALID, or the signal's reason. */
  call<T>(call: Call<T>): Promise<Reply<T>>;
  /** The error for an answer that was accepted and turned out to be a failure. */
  error(failure: Failure, deed: Deed, code?: ErrorCode): SluiceError;
  /** Ends every request under way with KV_UNREACHABLE, and closes the connections. */
  close(): void;
}

export interface TransportOptions {
  readonly address: string;
  readonly host: string;
  readonly token: TokenSource;
  readonly datacenter?: string | undefined;
  readonly tls: TlsOptions;
  readonly timeoutMs: number;
  readonly connections: number;
  /** Most connections for requests that are held open; any number where absent. */
  readonly waitingConnections?: number;
}

export function transport(options: TransportOptions): Transport {
  const { host, token, timeoutMs } = options;
  const secure = options.address.startsWith("https:");
  const pooled = npmClient(options);
  const waiting = npmClient({
    ...options,
    connections: options.waitingConnections ?? Number.POSITIVE_INFINITY,
  });
  const running = new Set<CallContext>();
  let closed = false;

  async function attempt<T>(call: Call<T>, ctx: CallContext): Promise<Reply<T>> {
    const secret = token.current();
    ctx.token = secret;
    const settings: CallOptions = {
      ctx,
      timeout: call.timeoutMs ?? timeoutMs,
      ...(secret === undefined ? {} : { token: secret }),
      ...(options.datacenter === undefined ? {} : { dc: options.datacenter }),
    };
    try {
      if (call.into) ctx.into = call.into();
      if (call.query) ctx.query = call.query;
      if (call.path) ctx.path = call.path;
      const [response, body] = await call.send(call.waits ? waiting : pooled, settings);
      if (ctx.into && response.statusCode === 200) await finished(ctx.into);
      return { status: response.statusCode ?? 0, headers: response.headers, body };
    } catch (raw) {
      const failure = explainTls(failureOf(raw), options.tls, secure);
      const response = (raw as { response?: IncomingMessage & { body?: T } }).response;
      if (failure.status !== undefined && response && call.accept?.(failure))
        return { status: failure.status, headers: response.headers, body: response.body };
      throw consulError(failure, call, host, secret === undefined ? [] : [secret]);
    }
  }

  async function once<T>(call: Call<T>, ctx: CallContext): Promise<Reply<T>> {
    const cancel = () => ctx.emit("cancel");
    if (closed) throw new SluiceError("KV_UNREACHABLE", `The connection to Consul at ${host} is closed.`);
    // One signal ends a whole service: many calls listening to it are no leak.
    if (call.signal) setMaxListeners(0, call.signal);
    call.signal?.addEventListener("abort", cancel);
    running.add(ctx);
    try {
      return await attempt(call, ctx);
    } finally {
      running.delete(ctx);
      call.signal?.removeEventListener("abort", cancel);
    }
  }

  async function persistent<T>(call: Call<T>): Promise<Reply<T>> {
    for (let first = true; ; first = false) {
      call.signal?.throwIfAborted();
      const ctx = callContext();
      try {
        return await once(call, ctx);
      } catch (error) {
        call.signal?.throwIfAborted();
        const again = isSluiceError(error, "KV_DENIED")
          ? await token.renewed(ctx.token)
          : call.readOnly === true && ctx.stale;
        if (!first || !again || closed) throw error;
      }
    }
  }

  return {
    timeoutMs,
    async call(call) {
      const reply = await persistent(call);
      if (reply.headers["x-consul-results-filtered-by-acls"] === "true")
        throw consulError(
          { status: undefined, text: "it left keys out for want of rules" },
          call,
          host,
          [],
          "KV_FILTERED",
        );
      return reply;
    },
    error: (failure, deed, code) => consulError(failure, deed, host, [], code),
    close() {
      closed = true;
      for (const ctx of running) ctx.emit("cancel");
      pooled.destroy();
      waiting.destroy();
    },
  };
}
