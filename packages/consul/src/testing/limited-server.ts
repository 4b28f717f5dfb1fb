import type { RawOp } from "../raw-answers.ts";
import type { Answer, Seen } from "./scripted-consul.ts";

/** The operations of a transaction. */
export const operationsOf = ({ body }: Seen): RawOp[] => JSON.parse(body);

/** A server with a limit of operations, where every key exists, and no verb is unknown. */
export function limited(most: number) {
  return (request: Seen): Answer => {
    const operations = operationsOf(request);
    if (operations.length > most) {
      const body = `Transaction contains too many operations (${operations.length} > ${most})`;
      return { status: 413, body };
    }
    const Results = operations.map(({ KV }) => ({ KV: { Key: KV.Key, Value: "dg==", ModifyIndex: 7 } }));
    return { body: { Results, Errors: null } };
  };
}
