import { type KvEntry, SluiceError } from "@sluice/core";
import { entryOf } from "./entry.ts";
import { type Deed, NOT_CONSUL } from "./failure.ts";
import type { ServerLimits } from "./limits.ts";
import type { RawTxn } from "./raw-answers.ts";
import { readKey } from "./read.ts";
import { keyRule } from "./rule.ts";
import { transactionBody } from "./transaction-body.ts";
import type { Reply, Transport } from "./transport.ts";

/** Chunks read at the same time; more would only queue inside Consul. */
const CHUNKS_AT_ONCE = 4;
/** How many of the keys that rules hide one sentence names. */
const MOST_NAMED = 3;

type ReadMany = (
  keys: readonly string[],
  signal: AbortSignal | undefined,
) => Promise<ReadonlyMap<string, KvEntry>>;

/**
 * Reads keys by read-only transactions. Newer servers have `get-or-empty`, which answers for absent keys too: one request per
 * chunk. Older ones roll a `get` transaction back and name the absent keys: those are certain then, and the rest is asked again.
 */
export function manyReader(transport: Transport, limits: ServerLimits): ReadMany {
  let knowsGetOrEmpty = true;

  async function chunk(keys: readonly string[], signal: AbortSignal | undefined): Promise<KvEntry[]> {
    if (knowsGetOrEmpty) {
      const reply = await ask(transport, "get-or-empty", keys, signal);
      if (reply.status !== 409) return whole(transport, reply, keys).filter((one) => one.modifyIndex !== "0");
      // A server that does not know the verb says so, or, to a token without write rules, "Permission denied".
      knowsGetOrEmpty = false;
    }
    return present(transport, keys, signal);
  }

  return async (keys, signal) => {
    const wanted = [...new Set(keys)];
    const [only] = wanted;
    if (only === undefined) return new Map();
    if (wanted.length === 1) {
      const { entry } = await readKey(transport, only, { signal });
      return new Map(entry ? [[only, entry]] : []);
    }
    if (wanted.length > limits.operations) await limits.known(signal);
    const chunks = split(wanted, limits.operations);
    const found: KvEntry[][] = [];
    for (let at = 0; at < chunks.length; at += CHUNKS_AT_ONCE) {
      const batch = chunks.slice(at, at + CHUNKS_AT_ONCE);
      found.push(...(await Promise.all(batch.map((one) => chunk(one, signal)))));
    }
    return new Map(found.flat().map((entry) => [entry.key, entry]));
  };
}

async function present(
  transport: Transport,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<KvEntry[]> {
  for (let asked = keys; asked.length > 0; ) {
    const reply = await ask(transport, "get", asked, signal);
    if (reply.status !== 409) return whole(transport, reply, asked);
    const absent = new Set<number>();
    for (const { OpIndex, What } of reply.body?.Errors ?? []) {
      if (!What.includes("doesn't exist")) throw unexpected(transport, asked, reply);
      absent.add(OpIndex);
    }
    if (absent.size === 0) throw unexpected(transport, asked, reply);
    asked = asked.filter((_, at) => !absent.has(at));
  }
  return [];
}

function ask(
  transport: Transport,
  verb: "get" | "get-or-empty",
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Reply<RawTxn>> {
  const body = transactionBody(keys.map((key) => ({ KV: { Verb: verb, Key: key } })));
  return transport.call<RawTxn>({
    ...deedOf(keys),
    readOnly: true,
    signal,
    accept: ({ status }) => status === 409,
    send: (client, settings) => client.transaction.create(body, settings),
  });
}

/** Consul leaves keys that a token may not read out of a transaction's results without a word. */
function whole(transport: Transport, reply: Reply<RawTxn>, keys: readonly string[]): KvEntry[] {
  if (reply.body?.Results === undefined) throw transport.error(NOT_CONSUL, deedOf(keys));
  const found = (reply.body.Results ?? []).flatMap((one) => (one.KV ? [entryOf(one.KV)] : []));
  if (found.length === keys.length && found.every((entry, at) => entry.key === keys[at])) return found;
  const told = new Set(found.map((entry) => entry.key));
  const hidden = keys.filter((key) => !told.has(key));
  const rules = hidden.slice(0, MOST_NAMED).map((key) => keyRule(key, "read"));
  throw new SluiceError(
    "KV_FILTERED",
    `Could not ${deedOf(keys).what}: Consul answered for ${found.length} of ${keys.length}; the token needs: ${rules.join(" ")}`,
  );
}

function unexpected(transport: Transport, keys: readonly string[], reply: Reply<RawTxn>): SluiceError {
  const text = reply.body?.Errors?.map((one) => one.What).join("; ") || "rolled back without a reason";
  return transport.error({ status: reply.status, text }, deedOf(keys));
}

function deedOf(keys: readonly string[]): Deed {
  const [first = ""] = keys;
  return { what: `read ${keys.length} keys such as "${first}"`, rule: keyRule(first, "read") };
}

function split(keys: readonly string[], size: number): string[][] {
  const chunks: string[][] = [];
  for (let at = 0; at < keys.length; at += size) chunks.push(keys.slice(at, at + size));
  return chunks;
}
