import { ConsulError } from "../http/answer.ts";
import { getRecord, type Kv, listKeys } from "../kv/kv.ts";
import { requireLiving } from "../kv/kv-http.ts";
import { decodeRecord, type KvRecord, recordJson } from "../kv/record.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { Transaction } from "../store/transaction.ts";
import type { KvOperation } from "./parse.ts";

/** Why one operation, and so the whole transaction, was refused. */
export interface TxnError {
  OpIndex: number;
  What: string;
}

/** Thrown to undo the transaction. */
export class RolledBack extends Error {
  readonly errors: TxnError[];

  constructor(errors: TxnError[]) {
    super("rolled back");
    this.errors = errors;
  }
}

export interface ApplyContext {
  kv: Kv;
  sessions: Sessions;
}

/** The `KV` results of one operation as JSON. */
type Verb = (tx: Transaction, op: KvOperation, context: ApplyContext) => string[];

/** Verbs that change something; a transaction without any is answered as a read. */
export const WRITE_VERBS = new Set(["set", "cas", "lock", "unlock", "delete", "delete-cas", "delete-tree"]);

const VERBS: Record<string, Verb> = {
  set: (tx, { key, ...content }, { kv }) => meta(key, kv.set(tx, key, content)),
  cas: (tx, { key, index, ...content }, { kv }) =>
    meta(
      key,
      kv.compareAndSet(tx, key, content, index) ?? refuse(`failed to set key ${quote(key)}, index is stale`),
    ),
  lock(tx, { key, session, ...content }, { kv }) {
    if (session === "") refuse("missing session");
    requireLiving(tx, session);
    const locked = kv.lock(tx, key, content, session);
    return meta(key, locked ?? refuse(`failed to lock key ${quote(key)}, lock is already held`));
  },
  unlock(tx, { key, session, ...content }, { kv }) {
    if (session === "") refuse("missing session");
    const held = "lock isn't held, or is held by another session";
    return meta(
      key,
      kv.unlock(tx, key, content, session) ?? refuse(`failed to unlock key ${quote(key)}, ${held}`),
    );
  },
  get: (tx, { key }) => [recordJson(key, getRecord(tx, key) ?? refuse(`key ${quote(key)} doesn't exist`))],
  "get-or-empty": (tx, { key }) => {
    const empty = {
      createIndex: 0,
      modifyIndex: 0,
      lockIndex: 0,
      flags: 0n,
      session: "",
      value: Buffer.alloc(0),
    };
    return [recordJson(key, getRecord(tx, key) ?? empty)];
  },
  "get-tree": (tx, { key }) =>
    listKeys(tx, key, (one, encoded) => recordJson(one, decodeRecord(encoded))).found,
  "check-session": (tx, { key, session }) => {
    const record = getRecord(tx, key) ?? refuse(`failed to check session, key ${quote(key)} doesn't exist`);
    if (record.session !== session) {
      const differ = `current session ${quote(record.session)} != ${quote(session)}`;
      refuse(`failed session check for key ${quote(key)}, ${differ}`);
    }
    return meta(key, record);
  },
  "check-index": (tx, { key, index }) => {
    const record = getRecord(tx, key) ?? refuse(`failed to check index, key ${quote(key)} doesn't exist`);
    if (record.modifyIndex !== index) {
      const differ = `current modify index ${record.modifyIndex} != ${index}`;
      refuse(`failed index check for key ${quote(key)}, ${differ}`);
    }
    return meta(key, record);
  },
  "check-not-exists": (tx, { key }) => (getRecord(tx, key) ? refuse(`key ${quote(key)} exists`) : []),
  delete(tx, { key }, { kv }) {
    kv.remove(tx, key);
    return [];
  },
  "delete-cas": (tx, { key, index }, { kv }) =>
    kv.compareAndRemove(tx, key, index) ? [] : refuse(`failed to delete key ${quote(key)}, index is stale`),
  "delete-tree": (tx, { key }, { kv }) => {
    kv.removeTree(tx, key);
    return [];
  },
};

/**
 * Runs all operations in order, each seeing the ones before it.
 *
 * @returns the results as JSON.
 * @throws RolledBack with every refusal.
 */
export function applyOperations(tx: Transaction, operations: KvOperation[], context: ApplyContext): string[] {
  const early = operations.flatMap((op, at) => preCheck(op, at, context));
  if (early.length > 0) throw new RolledBack(early);
  const results: string[] = [];
  const errors: TxnError[] = [];
  for (const [at, op] of operations.entries()) {
    try {
      const verb = Object.hasOwn(VERBS, op.verb) ? VERBS[op.verb] : undefined;
      const found = verb ? verb(tx, op, context) : refuse(`unknown KV verb ${quote(op.verb)}`);
      for (const one of found) results.push(`{"KV":${one}}`);
    } catch (error) {
      if (!(error instanceof ConsulError)) throw error;
      errors.push({ OpIndex: at, What: error.message });
    }
  }
  if (errors.length > 0) throw new RolledBack(errors);
  return results;
}

/** What Consul's leader refuses before it applies anything. */
function preCheck({ verb, key }: KvOperation, at: number, { sessions }: ApplyContext): TxnError[] {
  if (key === "" && verb !== "delete-tree") return [{ OpIndex: at, What: "Must provide key" }];
  if (verb === "lock" && sessions.isDelayed(key)) {
    return [{ OpIndex: at, What: `failed to lock key ${quote(key)} due to lock delay` }];
  }
  return [];
}

/** The result of an operation that is not a get has no value. */
function meta(key: string, record: KvRecord): string[] {
  return [recordJson(key, record, false)];
}

function refuse(what: string): never {
  throw new ConsulError(409, what);
}

function quote(text: string): string {
  return JSON.stringify(text);
}
