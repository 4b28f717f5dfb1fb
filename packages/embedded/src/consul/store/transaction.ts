/** The tables of the store; each is a one-letter key prefix, so one ordered tree holds them all. */
export type Table =
  | "kv"
  | "tombstones"
  | "indexes"
  | "sessions"
  | "locks"
  | "nodes"
  | "services"
  | "serviceNames"
  | "checks"
  | "agentServices"
  | "agentChecks";

const TAGS: Record<Table, string> = {
  kv: "k",
  tombstones: "t",
  indexes: "i",
  sessions: "s",
  locks: "l",
  nodes: "n",
  services: "v",
  serviceNames: "w",
  checks: "c",
  agentServices: "a",
  agentChecks: "b",
};

/** Longest key in bytes: what LMDB allows at a page size of 8 KiB, less the table's letter. */
export const LONGEST_KEY = 4025;

/** Reads of one moment: either what is committed, or what a transaction sees. Keys come in byte order. */
export interface Reader {
  get(table: Table, key: string): Buffer | undefined;
  range(table: Table, prefix: string): Iterable<Entry>;
}

export interface Entry {
  key: string;
  value: Buffer;
}

/** One request's writes. They become visible together, or, if its function throws, not at all. */
export interface Transaction extends Reader {
  put(table: Table, key: string, value: Buffer): void;
  remove(table: Table, key: string): void;
  /** The index (Consul's ModifyIndex) of everything this transaction changes. */
  index(): number;
  /** Runs once the writes are safe in the store, before the request is answered. */
  afterCommit(effect: () => void): void;
}

/** What a transaction stands on: the raw, tagged keys of the store inside its own write transaction. */
export interface RawStore {
  get(key: string): Buffer | undefined;
  range(prefix: string): Iterable<Entry>;
  put(key: string, value: Buffer): void;
  remove(key: string): void;
}

export interface OpenTransaction extends Transaction {
  /** Hands all writes to the store. */
  flush(): void;
  effects: readonly (() => void)[];
}

export class KeyTooLong extends Error {}

/** Committed or in-transaction reads over tagged keys. */
export function reader(raw: Pick<RawStore, "get" | "range">): Reader {
  return {
    get: (table, key) => raw.get(TAGS[table] + key),
    *range(table, prefix) {
      for (const { key, value } of raw.range(TAGS[table] + prefix)) yield { key: key.slice(1), value };
    },
  };
}

/** @param nextIndex called at most once, when the transaction first changes something. */
export function openTransaction(raw: RawStore, nextIndex: () => number): OpenTransaction {
  const written = new Map<string, Buffer | undefined>();
  const effects: (() => void)[] = [];
  let index: number | undefined;

  function* range(table: Table, prefix: string): Iterable<Entry> {
    const tagged = TAGS[table] + prefix;
    const mine = [...written.keys()].filter((key) => key.startsWith(tagged));
    const found = mine.length === 0 ? raw.range(tagged) : merge(raw.range(tagged), mine, written);
    for (const { key, value } of found) yield { key: key.slice(1), value };
  }

  return {
    effects,
    range,
    get(table, key) {
      const tagged = TAGS[table] + key;
      return written.has(tagged) ? written.get(tagged) : raw.get(tagged);
    },
    put(table, key, value) {
      if (Buffer.byteLength(key) > LONGEST_KEY) {
        throw new KeyTooLong(`Key name too long: ${Buffer.byteLength(key)} bytes, at most ${LONGEST_KEY}`);
      }
      written.set(TAGS[table] + key, value);
    },
    remove(table, key) {
      written.set(TAGS[table] + key, undefined);
    },
    index() {
      index ??= nextIndex();
      return index;
    },
    afterCommit(effect) {
      effects.push(effect);
    },
    flush() {
      for (const [key, value] of written) value ? raw.put(key, value) : raw.remove(key);
    },
  };
}

/** Entries of the store with this transaction's own writes laid over them, in byte order. */
function merge(stored: Iterable<Entry>, mine: string[], written: Map<string, Buffer | undefined>): Entry[] {
  const all = [...stored].filter(({ key }) => !written.has(key));
  for (const key of mine) {
    const value = written.get(key);
    if (value) all.push({ key, value });
  }
  return all.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
}
