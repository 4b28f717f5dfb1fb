import { setTableIndex, tableIndex } from "../store/store.ts";
import type { Reader, Transaction } from "../store/transaction.ts";
import type { Watchers } from "../watch/watchers.ts";
import { decodeRecord, encodeRecord, type KvRecord, recordIndex, sameContent } from "./record.ts";
import { bury, latestBurial } from "./tombstones.ts";

/** What a client may set of a key. */
export interface KvContent {
  value: Buffer;
  flags: bigint;
}

/** The KV's rules, over one transaction. The index rules follow Consul's state store. */
export interface Kv {
  set(tx: Transaction, key: string, content: KvContent): KvRecord;
  /** @returns undefined when `index` is not the key's ModifyIndex (0: when the key exists). */
  compareAndSet(tx: Transaction, key: string, content: KvContent, index: number): KvRecord | undefined;
  /** @param session must exist. @returns undefined when another session holds the key. */
  lock(tx: Transaction, key: string, content: KvContent, session: string): KvRecord | undefined;
  /** @returns undefined when the session does not hold the key. */
  unlock(tx: Transaction, key: string, content: KvContent, session: string): KvRecord | undefined;
  /** Takes the lock off a key whose session ended; its content stays. */
  release(tx: Transaction, key: string): void;
  remove(tx: Transaction, key: string): void;
  /** @returns false when the key exists with another ModifyIndex. */
  compareAndRemove(tx: Transaction, key: string, index: number): boolean;
  removeTree(tx: Transaction, prefix: string): void;
}

const TABLE = "kv";

export function getRecord(read: Reader, key: string): KvRecord | undefined {
  const found = read.get(TABLE, key);
  return found && decodeRecord(found);
}

/** The index answered for a missing key: that of the whole table, and never 0, which would not block. */
export function kvIndex(read: Reader): number {
  return Math.max(1, tableIndex(read, TABLE));
}

/** Every key under a prefix, and the index of the list: its latest change or deletion, else the table's. */
export function listKeys<T>(
  read: Reader,
  prefix: string,
  pick: (key: string, encoded: Buffer) => T,
): { index: number; found: T[] } {
  const found: T[] = [];
  let latest = prefix === "" ? 0 : latestBurial(read, prefix);
  for (const { key, value } of read.range(TABLE, prefix)) {
    latest = Math.max(latest, recordIndex(value));
    found.push(pick(key, value));
  }
  return { index: prefix === "" || latest === 0 ? kvIndex(read) : latest, found };
}

export function kv(watchers: Watchers): Kv {
  function store(tx: Transaction, key: string, record: KvRecord): KvRecord {
    const old = getRecord(tx, key);
    if (old && sameContent(old, record)) return old;
    const index = tx.index();
    const stored = { ...record, createIndex: old?.createIndex ?? index, modifyIndex: index };
    tx.put(TABLE, key, encodeRecord(stored));
    changed(tx, key);
    if (old?.session && old.session !== stored.session) tx.remove("locks", heldBy(old.session) + key);
    if (stored.session) tx.put("locks", heldBy(stored.session) + key, NOTHING);
    return stored;
  }

  function changed(tx: Transaction, key: string) {
    setTableIndex(tx, TABLE, tx.index());
    tx.afterCommit(() => watchers.keyChanged(key));
  }

  // A plain write keeps the holder but resets LockIndex, as Consul does.
  function set(tx: Transaction, key: string, content: KvContent) {
    return store(tx, key, { ...blank(content), session: getRecord(tx, key)?.session ?? "" });
  }

  function drop(tx: Transaction, key: string, old: KvRecord) {
    tx.remove(TABLE, key);
    if (old.session) tx.remove("locks", heldBy(old.session) + key);
    changed(tx, key);
  }

  function remove(tx: Transaction, key: string) {
    const old = getRecord(tx, key);
    if (!old) return;
    drop(tx, key, old);
    bury(tx, key);
  }

  return {
    set,
    remove,
    compareAndSet(tx, key, content, index) {
      const old = getRecord(tx, key);
      return (old?.modifyIndex ?? 0) === index ? set(tx, key, content) : undefined;
    },
    lock(tx, key, content, session) {
      const old = getRecord(tx, key);
      if (old?.session && old.session !== session) return undefined;
      const lockIndex = old?.session ? old.lockIndex : (old?.lockIndex ?? 0) + 1;
      return store(tx, key, { ...blank(content), session, lockIndex });
    },
    unlock(tx, key, content, session) {
      const old = getRecord(tx, key);
      if (!old?.session || old.session !== session) return undefined;
      return store(tx, key, { ...blank(content), lockIndex: old.lockIndex });
    },
    release(tx, key) {
      const old = getRecord(tx, key);
      if (old?.session) store(tx, key, { ...old, session: "" });
    },
    compareAndRemove(tx, key, index) {
      const old = getRecord(tx, key);
      if (old && old.modifyIndex !== index) return false;
      remove(tx, key);
      return true;
    },
    removeTree(tx, prefix) {
      const doomed = [...tx.range(TABLE, prefix)];
      for (const { key, value } of doomed) drop(tx, key, decodeRecord(value));
      if (doomed.length > 0 && prefix !== "") bury(tx, prefix);
    },
  };
}

/** Prefix, in the table of locks, of the keys a session holds. */
export function heldBy(session: string): string {
  return `${session}/`;
}

const NOTHING = Buffer.alloc(0);

function blank(content: KvContent): KvRecord {
  return { ...content, session: "", createIndex: 0, modifyIndex: 0, lockIndex: 0 };
}
