import { ConsulError } from "../http/answer.ts";
import { decodeJson, type Fields, fieldsOf, kindOf, refuseUnknown } from "../http/go-json.ts";

/** One operation of a transaction on the KV. */
export interface KvOperation {
  verb: string;
  key: string;
  value: Buffer;
  flags: bigint;
  index: number;
  session: string;
}

/** Most operations in one transaction, since Consul 1.14. */
export const MOST_OPERATIONS = 128;

const WHAT = "Failed to parse body";
const FIELDS = ["Verb", "Key", "Value", "Flags", "Index", "Session"];

/**
 * The operations of a `/v1/txn` body, in order; ones without a `KV` are dropped, as Consul does.
 *
 * @throws ConsulError (400) for what Consul's decoder refuses, (413) for too many operations.
 */
export function parseOperations(body: Buffer): KvOperation[] {
  const parsed = decodeJson(body, WHAT) ?? [];
  if (!Array.isArray(parsed)) {
    throw new ConsulError(
      400,
      `${WHAT}: json: cannot unmarshal ${kindOf(parsed)} into Go value of type api.TxnOps`,
    );
  }
  if (parsed.length > MOST_OPERATIONS) {
    const counts = `${parsed.length} > ${MOST_OPERATIONS}`;
    throw new ConsulError(413, `Transaction contains too many operations (${counts})`);
  }
  return parsed.flatMap((one: unknown) => {
    const kv = kvOf(one);
    return kv ? [operation(kv)] : [];
  });
}

function kvOf(one: unknown): Fields | undefined {
  const fields = fieldsOf(one);
  if (!fields) throw wrong(one, "", "api.TxnOp");
  refuseUnknown(one as object, ["KV"], WHAT);
  const kv = fields.get("kv") ?? undefined;
  if (kv === undefined) return undefined;
  const kvFields = fieldsOf(kv);
  if (!kvFields) throw wrong(kv, "KV", "api.KVTxnOp");
  refuseUnknown(kv as object, FIELDS, WHAT);
  return kvFields;
}

function operation(fields: Fields): KvOperation {
  return {
    verb: string(fields, "Verb"),
    key: string(fields, "Key"),
    session: string(fields, "Session"),
    value: base64(fields.get("value") ?? ""),
    flags: uint64(fields.get("flags") ?? 0, "Flags"),
    index: Number(uint64(fields.get("index") ?? 0, "Index")),
  };
}

function string(fields: Fields, name: string): string {
  const value = fields.get(name.toLowerCase()) ?? "";
  if (typeof value !== "string") throw wrong(value, `KVTxnOp.KV.${name}`, "string");
  return value;
}

function uint64(value: unknown, name: string): bigint {
  const isWhole = typeof value === "number" && Number.isInteger(value) && value >= 0;
  if (isWhole || (typeof value === "string" && /^\d{16,20}$/.test(value)))
    return BigInt.asUintN(64, BigInt(value));
  throw wrong(value, `KVTxnOp.KV.${name}`, "uint64", typeof value === "number" ? ` ${value}` : "");
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function base64(value: unknown): Buffer {
  if (typeof value !== "string") throw wrong(value, "KVTxnOp.KV.Value", "[]uint8");
  const text = /[\r\n]/.test(value) ? value.replace(/[\r\n]/g, "") : value;
  const decoded = Buffer.from(text, "base64");
  // The length tells at once for what is well-formed; only the rest pays for the search of the bad byte.
  if (text.length % 4 === 0 && BASE64.test(text)) return decoded;
  const bad = text.search(/[^A-Za-z0-9+/]/);
  const at = bad >= 0 ? bad : text.length - (text.length % 4);
  throw new ConsulError(400, `${WHAT}: illegal base64 data at input byte ${at}`);
}

function wrong(value: unknown, field: string, type: string, shown = ""): ConsulError {
  const where = field ? `Go struct field ${field} of type` : "Go value of type";
  return new ConsulError(
    400,
    `${WHAT}: json: cannot unmarshal ${kindOf(value)}${shown} into ${where} ${type}`,
  );
}
