import type { RawOp } from "./raw-answers.ts";

/** The JSON of a transaction as bytes, alone in an array because the npm client takes nothing else for operations. */
export type TransactionBody = readonly [Buffer];

/**
 * Put together by hand, because nearly all of it is base64, which `JSON.stringify` would look through for what to escape. And
 * made before the client gets it, so that only the bytes live until the answer comes, and not a text of every value too.
 */
export function transactionBody(operations: readonly RawOp[]): TransactionBody {
  return [Buffer.from(`[${operations.map(operationText).join(",")}]`)];
}

function operationText({ KV }: RawOp): string {
  let text = `{"KV":{"Verb":"${KV.Verb}","Key":${JSON.stringify(KV.Key)}`;
  if (KV.Value !== undefined) text += `,"Value":"${KV.Value}"`;
  if (KV.Index !== undefined) text += `,"Index":${KV.Index}`;
  if (KV.Session !== undefined) text += `,"Session":${JSON.stringify(KV.Session)}`;
  return `${text}}}`;
}

/** For the client to encode every body with: its own way, but for a transaction's, which is encoded already. */
export function encodeJson(value: unknown): Buffer {
  const [encoded] = Array.isArray(value) ? value : [];
  return Buffer.isBuffer(encoded) ? encoded : Buffer.from(JSON.stringify(value));
}
