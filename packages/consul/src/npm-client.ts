import { EventEmitter } from "node:events";
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Writable } from "node:stream";
import Consul from "consul";
import type {
  Blocking,
  RawAgentService,
  RawCheck,
  RawEntry,
  RawInstance,
  RawRegistration,
  RawTxn,
} from "./raw-answers.ts";
import type { TlsOptions } from "./tls.ts";
import { encodeJson, type TransactionBody } from "./transaction-body.ts";

/** What the client calls `ctx`: "cancel" aborts the request, `includeResponse` makes it hand over the headers too. */
export interface CallContext extends EventEmitter {
  readonly includeResponse: true;
  /** True where the server closed a kept-alive connection before it began to answer: most likely it never saw the request. */
  stale: boolean;
  /** The token the request bears. */
  token?: string | undefined;
  /** Where the bytes of a successful answer go, in place of the client's memory. */
  into?: Writable;
  /** Put behind the request's own query: what the client does not know. */
  query?: string;
  /** Makes the request's path another: for what the client does not know. */
  path?: (path: string) => string;
}

export interface CallOptions {
  readonly ctx: CallContext;
  /** Milliseconds for the whole call; without it the client waits for ever. */
  readonly timeout: number;
  readonly token?: string;
  readonly dc?: string;
}

/** A path segment the client must not encode: "/" stays "/", because some proxies refuse "%2F". */
export interface PathKey {
  readonly encode: false;
  toString(): string;
}

type Answer<T> = Promise<[response: IncomingMessage, body?: T]>;

/**
 * The part of npm `consul` 2.0.1 that is used, as it behaves. Its own declarations reject the `{ KV: … }` form of
 * operations and know neither `ctx`, `buffer` nor `timeout`.
 */
export interface NpmConsul {
  readonly kv: {
    get(
      options: CallOptions & {
        key: PathKey;
        buffer: true;
        recurse?: true;
        consistent?: true;
        index?: string;
        wait?: string;
      },
    ): Answer<RawEntry | readonly RawEntry[]>;
    keys(options: CallOptions & { key: PathKey }): Answer<readonly string[]>;
    set(
      options: CallOptions & {
        key: PathKey;
        value: Uint8Array;
        cas?: string;
        acquire?: string;
        release?: string;
      },
    ): Answer<boolean>;
  };
  readonly transaction: { create(operations: TransactionBody, options: CallOptions): Answer<RawTxn> };
  readonly session: {
    /** Only `Checks` can be given; an empty list also empties `NodeChecks` (seen on 1.8, in the source of later ones). */
    create(
      options: CallOptions & {
        name: string;
        ttl: string;
        lockdelay: string;
        behavior: "release";
        checks: never[];
      },
    ): Answer<{ ID: string }>;
    renew(options: CallOptions & { id: string }): Answer<readonly { TTL: string }[]>;
    destroy(options: CallOptions & { id: string }): Answer<unknown>;
  };
  readonly agent: {
    self(options: CallOptions): Answer<{ readonly Config?: { readonly Version?: string } }>;
    readonly service: {
      list(options: CallOptions & { filter?: string }): Answer<Readonly<Record<string, RawAgentService>>>;
      /** Of a check the client sends only fields it knows, and drops one that has no `interval` or `ttl`. */
      register(options: CallOptions & RawRegistration): Answer<unknown>;
      deregister(options: CallOptions & { id: string }): Answer<unknown>;
    };
    readonly check: {
      list(options: CallOptions & { filter?: string }): Answer<Readonly<Record<string, RawCheck>>>;
      pass(options: CallOptions & { id: string; note: string }): Answer<unknown>;
      warn(options: CallOptions & { id: string; note: string }): Answer<unknown>;
      fail(options: CallOptions & { id: string; note: string }): Answer<unknown>;
    };
  };
  readonly catalog: {
    readonly service: {
      list(options: CallOptions & Blocking): Answer<Readonly<Record<string, readonly string[]>>>;
    };
  };
  readonly health: {
    service(options: CallOptions & Blocking & { service: string }): Answer<readonly RawInstance[]>;
  };
  destroy(): void;
}

export interface NpmClientOptions {
  /** `http://host:port`, a path allowed, no slash at the end. */
  readonly address: string;
  readonly tls: TlsOptions;
  /** Most connections at the same time. */
  readonly connections: number;
}

/** Idle connections are closed after this long, before most proxies would do it in the middle of a request. */
const IDLE_MS = 30_000;

export function npmClient({ address, tls, connections }: NpmClientOptions): NpmConsul {
  const pool = { keepAlive: true, maxSockets: connections, timeout: IDLE_MS };
  const agent = address.startsWith("https:") ? new HttpsAgent({ ...pool, ...tls }) : new HttpAgent(pool);
  const encoders = { "application/json": encodeJson };
  const settings: object = { baseUrl: `${address}/v1`, agent, encoders };
  const client = new Consul(settings) as unknown as NpmConsul & Extensible;
  client._ext("onRequest", (request, next) => {
    const { ctx } = request.opts;
    if (ctx.into) request.pipe = ctx.into;
    if (ctx.path) request.req.path = ctx.path(request.req.path);
    if (ctx.query) request.req.path += (request.req.path.includes("?") ? "&" : "?") + ctx.query;
    request.transport = noticingAnswers(request.transport, ctx, () => {
      delete request.pipe;
    });
    next();
  });
  return client;
}

export function callContext(): CallContext {
  return Object.assign(new EventEmitter(), { includeResponse: true as const, stale: false });
}

export function pathKey(key: string): PathKey {
  return { encode: false, toString: () => key.split("/").map(encodeURIComponent).join("/") };
}

interface RequestMaker {
  request(options: object): ClientRequest;
}

/** A request on its way through the client's hooks; the client asks for `pipe` only once the answer begins. */
interface PapiRequest {
  transport: RequestMaker;
  pipe?: Writable;
  readonly req: { path: string };
  readonly opts: { readonly ctx: CallContext };
}

interface Extensible {
  _ext(event: "onRequest", hook: (request: PapiRequest, next: () => void) => void): void;
}

/**
 * The client waits for the "end" of an answer only; one that is cut off has none, and would look like a slow server. An answer
 * that is a failure stays with the client, which makes an error of it.
 */
function noticingAnswers(transport: RequestMaker, ctx: CallContext, failed: () => void): RequestMaker {
  return {
    request(options) {
      let answered = false;
      const sent = transport.request(options);
      sent.once("error", () => {
        ctx.stale = sent.reusedSocket && !answered;
      });
      sent.once("response", (response: IncomingMessage) => {
        answered = true;
        if (response.statusCode !== 200) failed();
        response.once("close", () => {
          if (!response.complete) sent.emit("error", new Error("the answer was cut off"));
        });
      });
      return sent;
    },
  };
}
