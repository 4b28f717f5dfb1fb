import type { KvLimits } from "@sluice/core";
import type { RawTxn } from "./raw-answers.ts";
import { transactionBody } from "./transaction-body.ts";
import type { Transport } from "./transport.ts";

/** What the server takes, learnt from the server; starts with what every version takes. */
export interface ServerLimits {
  /** As the port shows them: one operation is kept for the fence. */
  readonly shown: KvLimits;
  /** Operations of one transaction, fence included. */
  readonly operations: number;
  /** Learns from the text of a 413. */
  learn(text: string): void;
  /** Asks the server for its limit of operations, once; later calls share the answer. Throws as any read does. */
  known(signal?: AbortSignal): Promise<void>;
}

/** Consul 1.8 to 1.13; from 1.14 it is 128 (hashicorp/consul#14599). No request tells it but one that is refused. */
const OPERATIONS_OF_OLD = 64;
const OPERATIONS_OF_NEW = 128;

export function serverLimits(
  transport: Transport,
  start: { readonly bodyBytes: number; readonly valueBytes: number },
): ServerLimits {
  const now = { ...start, operations: OPERATIONS_OF_OLD };
  let asking: Promise<void> | undefined;

  async function ask() {
    const get = { KV: { Verb: "get", Key: "sluice" } };
    const body = transactionBody(Array.from({ length: OPERATIONS_OF_NEW + 1 }, () => get));
    const reply = await transport.call<RawTxn | string>({
      what: "ask for the limits of transactions",
      readOnly: true,
      accept: ({ status }) => status === 409 || status === 413,
      send: (client, settings) => client.transaction.create(body, settings),
    });
    if (reply.status === 413) learn(String(reply.body));
    else now.operations = OPERATIONS_OF_NEW;
  }

  function learn(text: string) {
    const operations = /too many operations \(\d+ > (\d+)\)/.exec(text)?.[1];
    const value = /too large \(\d+ > (\d+) bytes\)/.exec(text)?.[1];
    const body = /max size: (\d+) bytes/.exec(text)?.[1];
    if (operations) now.operations = Number(operations);
    if (value) now.valueBytes = Number(value);
    if (body && text.includes("kv_max_value_size")) now.valueBytes = Number(body);
    else if (body) now.bodyBytes = Number(body);
  }

  return {
    get shown() {
      return { operations: now.operations - 1, bodyBytes: now.bodyBytes, valueBytes: now.valueBytes };
    },
    get operations() {
      return now.operations;
    },
    learn,
    known(signal) {
      asking ??= ask().catch((error: unknown) => {
        asking = undefined;
        throw error;
      });
      return orAborted(asking, signal);
    },
  };
}

/** One caller's abort must not end a request that others wait for too. */
function orAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
