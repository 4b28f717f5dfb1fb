import { isDeepStrictEqual } from "node:util";
import { backoffMs, type CatalogWatchOptions, type ServiceInstance } from "@sluice/core";
import { NOT_CONSUL } from "../failure.ts";
import type { CallOptions, NpmConsul } from "../npm-client.ts";
import { rateLimit } from "../rate-limit.ts";
import type { Blocking, RawInstance } from "../raw-answers.ts";
import type { Call } from "../transport.ts";
import type { WatchContext as KeyWatchContext } from "../watch.ts";
import { byNodeAndId, instanceOf } from "./instance.ts";
import { ALL_NODES_READ, ALL_SERVICES, filtered, mayReadService, serviceRule } from "./permission.ts";
import type { Turns } from "./turns.ts";

const BACKOFF = { firstMs: 250, mostMs: 30_000 };
/** The agent's index churns with every check of every service (consul.md, 3.1): a busy cluster is no hot loop. */
const PACE = { burst: 20, perSecond: 5 };
const WAIT_SLACK = { factor: 1.1, ms: 5_000 };

export interface WatchContext extends Omit<KeyWatchContext, "waitMs"> {
  /** Of the watches of services; the one of names waits for nobody. */
  readonly turns: Turns;
  /** How long the question for names is held open, in milliseconds. */
  readonly waitMs: number;
}

type Names = ReadonlyMap<string, readonly string[]>;

export function watchNames(context: WatchContext, options: CatalogWatchOptions): AsyncIterable<Names> {
  const { transport } = context;
  return watchAnswer(context, options, {
    ...NAMES,
    async confirm(names, before) {
      if (names.size === 0) throw filtered(transport, "it names no service, not even Consul itself", NAMES);
      for (const name of before?.keys() ?? [])
        if (!names.has(name)) await mayReadService(transport, name, options.signal);
      return names;
    },
  });
}

const NAMES: Omit<Question<Readonly<Record<string, readonly string[]>>, Names>, "confirm"> = {
  what: "list the services",
  rule: ALL_SERVICES.read,
  send: (client, settings) => client.catalog.service.list(settings),
  read: (body) =>
    typeof body === "object" && !Array.isArray(body)
      ? new Map(
          Object.entries(body)
            .map(([name, tags]) => [name, [...tags].sort()] as const)
            .sort(([a], [b]) => (a < b ? -1 : 1)),
        )
      : undefined,
  isEmpty: (names) => names.size === 0,
};

export async function* watchService(
  context: WatchContext,
  name: string,
  options: CatalogWatchOptions,
): AsyncGenerator<readonly ServiceInstance[], void> {
  const leave = context.turns.join();
  try {
    yield* watchInstances(context, name, options);
  } finally {
    leave();
  }
}

function watchInstances(
  context: WatchContext,
  name: string,
  options: CatalogWatchOptions,
): AsyncGenerator<readonly ServiceInstance[], void> {
  const { signal } = options;
  const { transport } = context;
  const question: Omit<Question<readonly RawInstance[], readonly ServiceInstance[]>, "confirm"> = {
    what: `read the health of the service "${name}"`,
    rule: `${serviceRule(name, "read")} and ${ALL_NODES_READ}`,
    send: (client, settings) => client.health.service({ ...settings, service: name }),
    read: (body) => (Array.isArray(body) ? body.map(instanceOf).sort(byNodeAndId) : undefined),
    isEmpty: (instances) => instances.length === 0,
    takesTurns: true,
  };
  return watchAnswer(context, options, {
    ...question,
    /** What has a name has an instance, unless it went just now: a rule hides the nodes then. */
    async confirm(instances) {
      if (instances.length > 0) return instances;
      await mayReadService(transport, name, signal);
      const names = await ask(context, NAMES, { consistent: true, signal });
      if (!names.value.has(name)) return instances;
      const again = await ask(context, question, { consistent: true, signal });
      if (again.value.length > 0) return again.value;
      const deed = { what: question.what, rule: ALL_NODES_READ };
      throw filtered(transport, "it shows no instance of a service that it names", deed);
    },
  });
}

interface Question<Raw, T> extends Pick<Call<Raw>, "what" | "rule"> {
  send(client: NpmConsul, settings: CallOptions & Blocking): ReturnType<Call<Raw>["send"]>;
  /** Undefined: this is no answer of Consul's. */
  read(body: Raw): T | undefined;
  isEmpty(value: T): boolean;
  /** True: it is held open only while it has a turn. */
  readonly takesTurns?: boolean;
  /** What is new as it is to be believed. @throws KV_DENIED, KV_FILTERED where rules made it shorter than the truth */
  confirm(value: T, before: T | undefined): Promise<T>;
}

/**
 * One blocking query after another. An index that went backwards starts over, an equal answer is not repeated, and "nothing
 * there" counts only once a leader that knows it is one has said so too: a follower that lags alternates between some and none.
 */
async function* watchAnswer<Raw, T>(
  context: WatchContext,
  { signal, onError, onRecovered }: CatalogWatchOptions,
  question: Question<Raw, T>,
): AsyncGenerator<T, void> {
  const { clock, random } = context;
  const pace = rateLimit(clock, PACE);
  let seen: { readonly value: T } | undefined;
  let index: string | undefined;
  for (let failures = 0; !signal.aborted; ) {
    await pace(signal);
    try {
      let answer = await ask(context, question, { index, signal });
      if (seen && !question.isEmpty(seen.value) && question.isEmpty(answer.value))
        answer = { ...(await ask(context, question, { consistent: true, signal })), index: answer.index };
      const same = seen !== undefined && isDeepStrictEqual(seen.value, answer.value);
      const value = same ? answer.value : await question.confirm(answer.value, seen?.value);
      if (failures > 0) onRecovered?.();
      failures = 0;
      index = index !== undefined && BigInt(answer.index) < BigInt(index) ? undefined : answer.index;
      if (signal.aborted) return;
      if (same) continue;
      seen = { value };
    } catch (error) {
      if (signal.aborted) return;
      onError?.(error);
      index = undefined;
      await clock.sleep(backoffMs(failures, BACKOFF, random), signal);
      failures += 1;
      continue;
    }
    yield seen.value;
  }
}

interface Asking {
  readonly index?: string | undefined;
  readonly consistent?: boolean;
  readonly signal: AbortSignal;
}

async function ask<Raw, T>(
  context: WatchContext,
  question: Omit<Question<Raw, T>, "confirm">,
  options: Asking,
): Promise<{ value: T; index: string }> {
  const { turns, waitMs } = context;
  if (!question.takesTurns || options.index === undefined) return askNow(context, question, options);
  const leave = await turns.enter(options.signal);
  try {
    return await askNow({ ...context, waitMs: Math.min(waitMs, turns.holdMs()) }, question, options);
  } finally {
    leave();
  }
}

async function askNow<Raw, T>(
  { transport, waitMs }: WatchContext,
  question: Omit<Question<Raw, T>, "confirm">,
  options: Asking,
): Promise<{ value: T; index: string }> {
  const { index, consistent, signal } = options;
  const { what, rule } = question;
  const blocking: Blocking = {
    ...(consistent ? { consistent: true as const } : {}),
    ...(index === undefined ? {} : { index, wait: `${waitMs}ms` }),
  };
  const reply = await transport.call<Raw>({
    what,
    rule,
    readOnly: true,
    signal,
    waits: index !== undefined,
    timeoutMs: index === undefined ? transport.timeoutMs : waitMs * WAIT_SLACK.factor + WAIT_SLACK.ms,
    send: (client, settings) => question.send(client, { ...settings, ...blocking }),
  });
  const at = reply.headers["x-consul-index"];
  const value = reply.body === undefined || reply.body === null ? undefined : question.read(reply.body);
  if (value === undefined || typeof at !== "string" || !/^\d+$/.test(at))
    throw transport.error(NOT_CONSUL, { what, rule });
  // An index of 0 would not wait, 1 always does.
  return { value, index: BigInt(at) < 1n ? "1" : at };
}
