import { type KvEntry, SluiceError } from "@sluice/core";
import { entryOf } from "./entry.ts";
import { type EntryStream, entryStream } from "./entry-stream.ts";
import type { Deed } from "./failure.ts";
import { type PathKey, pathKey } from "./npm-client.ts";
import type { RawEntry } from "./raw-answers.ts";
import { keyRule, prefixRule } from "./rule.ts";
import type { Reply, Transport } from "./transport.ts";

/** A key at one moment, with the index to wait on for the next. */
export interface Sight {
  readonly entry: KvEntry | undefined;
  /** `X-Consul-Index`, a uint64 as text. */
  readonly index: string;
}

export interface ReadOptions {
  /** Waits until the key is past this index, or `waitMs` are over. */
  readonly index?: string;
  readonly waitMs?: number;
  /** Asks the leader to make sure that it still is the leader. */
  readonly consistent?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** How much longer than asked a held request may take: Consul adds up to a sixteenth, the rest is for the way. */
const WAIT_SLACK = { factor: 1.1, ms: 5_000 };

/** Reads one key, at once or as a blocking query. */
export async function readKey(transport: Transport, key: string, options: ReadOptions = {}): Promise<Sight> {
  const { index, waitMs = 0, consistent, signal } = options;
  const deed = { what: `read "${key}"`, rule: keyRule(key, "read") };
  const waits = index === undefined ? {} : { index, wait: `${waitMs}ms` };
  const reply = await transport.call<RawEntry | readonly RawEntry[]>({
    ...deed,
    readOnly: true,
    signal,
    waits: index !== undefined,
    timeoutMs: index === undefined ? transport.timeoutMs : waitMs * WAIT_SLACK.factor + WAIT_SLACK.ms,
    send: (client, settings) =>
      client.kv.get({ ...settings, ...waits, ...quorum(consistent), key: namedKey(key), buffer: true }),
  });
  const at = consulIndex(reply, transport, deed);
  if (reply.status === 404) return { entry: undefined, index: at };
  const raw = reply.body as RawEntry | undefined;
  if (raw?.Key !== key) throw notConsul(transport, deed);
  return { entry: entryOf(raw), index: at };
}

/** What is under a prefix, as one text that differs where anything differs; at once or as a blocking query. */
export async function readState(
  transport: Transport,
  prefix: string,
  { index, waitMs = 0, signal }: ReadOptions,
): Promise<{ readonly state: string; readonly index: string }> {
  const deed = { what: `watch "${prefix}"`, rule: prefixRule(prefix, "list") };
  const waits = index === undefined ? {} : { index, wait: `${waitMs}ms` };
  const reply = await transport.call<RawEntry | readonly RawEntry[]>({
    ...deed,
    readOnly: true,
    signal,
    waits: index !== undefined,
    timeoutMs: index === undefined ? transport.timeoutMs : waitMs * WAIT_SLACK.factor + WAIT_SLACK.ms,
    send: (client, settings) =>
      client.kv.get({ ...settings, ...waits, key: namedKey(prefix), buffer: true, recurse: true }),
  });
  const at = consulIndex(reply, transport, deed);
  const entries = reply.status === 404 ? [] : reply.body;
  if (!Array.isArray(entries)) throw notConsul(transport, deed);
  return { state: entries.map((raw: RawEntry) => `${raw.Key} ${raw.ModifyIndex}`).join(), index: at };
}

/**
 * Everything under a prefix. "Nothing there" is asked a second time, of a leader that knows it is one: a deposed leader
 * answers from its past for a moment. Before 1.11 Consul does not tell that rules hid keys: a list without any rule for it is
 * "nothing there". A single key that may not be read is refused by every version, whether it exists or not, so one is asked for
 * beside each list. What this cannot show is a rule that denies something further down.
 */
export async function readTree<T>(
  transport: Transport,
  prefix: string,
  options: ListOptions<T>,
): Promise<readonly T[]> {
  refuseNoPrefix(prefix);
  const listed = async (consistent: boolean) => {
    const [found] = await Promise.all([
      listOnce(transport, prefix, consistent, options),
      mayReadUnder(transport, prefix, options.signal),
    ]);
    return found;
  };
  const found = await listed(false);
  return found.length > 0 ? found : listed(true);
}

export function refuseNoPrefix(prefix: string): void {
  if (!prefix.endsWith("/"))
    throw new SluiceError("KV_INVALID", `Only a prefix that ends with "/" can be listed, not "${prefix}".`);
}

export interface ListOptions<T> {
  readonly keep: (entry: KvEntry) => T;
  readonly signal?: AbortSignal | undefined;
}

/** How much longer than a small request a list may take: its answer can be some hundred MiB. */
const LIST_PATIENCE = 6;

/** @throws KV_DENIED where the token has no rule for the prefix. */
export async function mayReadUnder(
  transport: Transport,
  prefix: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deed = { what: `list "${prefix}"`, rule: prefixRule(prefix, "list") };
  await transport.call<RawEntry | readonly RawEntry[]>({
    ...deed,
    readOnly: true,
    signal,
    send: (client, settings) =>
      client.kv.get({ ...settings, key: pathKey(`${prefix}may-read`), buffer: true }),
  });
}

async function listOnce<T>(
  transport: Transport,
  prefix: string,
  consistent: boolean,
  { keep, signal }: ListOptions<T>,
): Promise<readonly T[]> {
  const deed = { what: `list "${prefix}"`, rule: prefixRule(prefix, "list") };
  let kept: T[] = [];
  let answer: EntryStream | undefined;
  const reply = await transport.call<RawEntry | readonly RawEntry[]>({
    ...deed,
    readOnly: true,
    signal,
    timeoutMs: transport.timeoutMs * LIST_PATIENCE,
    into() {
      kept = [];
      answer = entryStream((raw) => kept.push(keep(entryOf(raw))));
      return answer.sink;
    },
    send: (client, settings) =>
      client.kv.get({
        ...settings,
        ...quorum(consistent),
        key: namedKey(prefix),
        buffer: true,
        recurse: true,
      }),
  });
  consulIndex(reply, transport, deed);
  if (reply.status === 404) return [];
  if (!answer?.complete()) throw notConsul(transport, deed);
  return kept;
}

function quorum(consistent: boolean | undefined): { consistent?: true } {
  return consistent ? { consistent: true } : {};
}

/** An empty key would turn a read of one key into one of the root. */
function namedKey(key: string): PathKey {
  if (key === "") throw new SluiceError("KV_INVALID", "A key needs a name.");
  return pathKey(key);
}

/** Every answer of Consul's KV bears its index; a 404 or a page without one comes from something in between. */
export function consulIndex(reply: Reply<unknown>, transport: Transport, deed: Deed): string {
  const index = reply.headers["x-consul-index"];
  if (typeof index !== "string" || !/^\d+$/.test(index)) throw notConsul(transport, deed);
  return index;
}

function notConsul(transport: Transport, deed: Deed): SluiceError {
  return transport.error({ status: undefined, text: "the answer is not one of Consul's KV" }, deed);
}
