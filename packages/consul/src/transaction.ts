import { type KvCommit, type KvFence, type KvOp, SluiceError } from "@sluice/core";
import { indexNumber, indexOf } from "./entry.ts";
import { NOT_CONSUL, saysDenied } from "./failure.ts";
import type { ServerLimits } from "./limits.ts";
import { pathKey } from "./npm-client.ts";
import type { RawOp, RawTxn } from "./raw-answers.ts";
import { keyRule } from "./rule.ts";
import { type TransactionBody, transactionBody } from "./transaction-body.ts";
import type { Transport } from "./transport.ts";

/** What a write needs to know. */
export interface WriteContext {
  readonly transport: Transport;
  readonly limits: ServerLimits;
}

/** One `PUT /v1/txn`: the fence's `check-session` first, then the operations. */
export async function commitOps(
  { transport, limits }: WriteContext,
  ops: readonly KvOp[],
  fence: KvFence | undefined,
  signal: AbortSignal | undefined,
): Promise<KvCommit> {
  if (ops.length === 0 && !fence) return { applied: true, index: "0" };
  const what = `commit ${ops.length} operations`;
  if (ops.length + (fence ? 1 : 0) > limits.operations) await limits.known(signal);
  const body = fittingBody(ops, fence, { limits, what });
  const reply = await transport.call<RawTxn | string>({
    what,
    signal,
    accept: ({ status }) => status === 409 || status === 413,
    send: (client, settings) => client.transaction.create(body, settings),
  });
  if (reply.status === 413) {
    limits.learn(String(reply.body));
    throw transport.error({ status: 413, text: String(reply.body) }, { what });
  }
  const answer = typeof reply.body === "object" ? reply.body : {};
  if (reply.status !== 409 && answer.Results === undefined) throw transport.error(NOT_CONSUL, { what });
  if (reply.status !== 409) return { applied: true, index: latestIndex(answer) };
  return rolledBack(answer, ops, fence, (text, at = 0) =>
    transport.error({ status: 409, text }, { what, rule: ruleFor(ops, fence, at) }),
  );
}

/** `PUT /v1/kv/KEY?cas=INDEX` with the bytes as the body. */
export async function putLarge(
  { transport, limits }: WriteContext,
  entry: { readonly key: string; readonly value: Uint8Array; readonly index: string },
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { key, value } = entry;
  const what = `write ${value.length} bytes to "${key}"`;
  const most = limits.shown.valueBytes;
  if (key === "") throw new SluiceError("KV_INVALID", "A key needs a name.");
  if (value.length > most)
    throw new SluiceError(
      "KV_INVALID",
      `Could not ${what}: Consul takes at most ${most} bytes in one value.`,
    );
  const cas = String(indexNumber(entry.index, key));
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const reply = await transport.call<boolean | string>({
    what,
    rule: keyRule(key, "write"),
    signal,
    accept: ({ status }) => status === 413,
    send: (client, settings) => client.kv.set({ ...settings, key: pathKey(key), value: bytes, cas }),
  });
  if (reply.status !== 413) {
    if (typeof reply.body !== "boolean") throw transport.error(NOT_CONSUL, { what });
    return reply.body;
  }
  limits.learn(String(reply.body));
  throw transport.error({ status: 413, text: String(reply.body) }, { what });
}

function sessionCheck({ key, session }: KvFence): RawOp {
  return { KV: { Verb: "check-session", Key: key, Session: session } };
}

/** Written out, and without a view for what is a Buffer: spread and views cost more than all the base64. */
function rawOp(op: KvOp): RawOp {
  const { verb: Verb, key: Key } = op;
  if (op.verb === "set") return { KV: { Verb, Key, Value: base64(op.value) } };
  if (op.verb === "cas")
    return { KV: { Verb, Key, Value: base64(op.value), Index: indexNumber(op.index, Key) } };
  if ("index" in op) return { KV: { Verb, Key, Index: indexNumber(op.index, Key) } };
  return { KV: { Verb, Key } };
}

function base64(value: Uint8Array): string {
  const bytes = Buffer.isBuffer(value)
    ? value
    : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return bytes.toString("base64");
}

/**
 * Consul answers 413 to a body over its limit and closes the connection without reading it, so that the client may see
 * a reset connection instead of the answer: refuse here.
 */
function fittingBody(
  ops: readonly KvOp[],
  fence: KvFence | undefined,
  { limits, what }: { readonly limits: ServerLimits; readonly what: string },
): TransactionBody {
  const { bodyBytes, valueBytes } = limits.shown;
  for (const op of ops)
    if ("value" in op && op.value.length > valueBytes)
      throw new SluiceError(
        "KV_INVALID",
        `Could not ${what}: the value of "${op.key}" exceeds Consul's ${valueBytes} bytes.`,
      );
  const body = transactionBody([...(fence ? [sessionCheck(fence)] : []), ...ops.map(rawOp)]);
  const [{ length }] = body;
  if (length > bodyBytes)
    throw new SluiceError(
      "KV_INVALID",
      `Could not ${what}: the request has ${length} bytes, and Consul takes ${bodyBytes}.`,
    );
  return body;
}

/** Keys that were written bear the transaction's index; keys that already held the value keep an older, smaller one. */
function latestIndex(answer: RawTxn): string {
  return indexOf(Math.max(0, ...(answer.Results ?? []).map((one) => one.KV?.ModifyIndex ?? 0)));
}

function rolledBack(
  answer: RawTxn,
  ops: readonly KvOp[],
  fence: KvFence | undefined,
  failure: (text: string, at?: number) => SluiceError,
): KvCommit {
  const before = fence ? 1 : 0;
  const errors = answer.Errors ?? [];
  const refused = errors.find(
    (one) => saysDenied(one.What) || !canConflict(ops[one.OpIndex - before], one.OpIndex < before),
  );
  if (refused || errors.length === 0)
    throw failure(refused?.What ?? "rolled back without a reason", refused?.OpIndex);
  if (fence && errors.some((one) => one.OpIndex === 0))
    throw new SluiceError("LOCK_LOST", `Nothing was written: the lock "${fence.key}" is no longer held.`);
  return { applied: false, conflicts: errors.map((one) => ({ op: one.OpIndex - before, what: one.What })) };
}

/** What is only looked at needs less than what is written. `at` counts the fence, which comes first. */
function ruleFor(ops: readonly KvOp[], fence: KvFence | undefined, at: number): string | undefined {
  if (fence && at === 0) return keyRule(fence.key, "read");
  const op = ops[fence ? at - 1 : at];
  return op && keyRule(op.key, op.verb.startsWith("check-") ? "read" : "write");
}

/** An unconditional write that fails has no conflict to tell about: the request itself was wrong. */
function canConflict(op: KvOp | undefined, isFence: boolean): boolean {
  return isFence || (op !== undefined && op.verb !== "set" && op.verb !== "delete");
}
