import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Database, open } from "lmdb";
import { lockFolder } from "../../process/folder-lock.ts";
import {
  type Entry,
  openTransaction,
  type RawStore,
  type Reader,
  reader,
  type Transaction,
} from "./transaction.ts";

/** Consul's state on disk. Reads see what is committed; writes run one after another. */
export interface Store {
  read: Reader;
  /**
   * Runs `change` alone and resolves with its result once the writes are committed, so a killed process loses nothing
   * that was answered; a power failure may lose the last moments, but never half of a transaction. A thrown error
   * rejects and leaves nothing behind. Writes that arrive while a commit is under way share the next one.
   */
  write<T>(change: (tx: Transaction) => T): Promise<T>;
  close(): Promise<void>;
}

interface Job {
  run(): void;
  settle(failure?: unknown): void;
}

const LAST = "last";

/** @throws Error with one sentence, and the reason in `cause`, when the folder cannot be used or is in use. */
export async function openStore(folder: string): Promise<Store> {
  const unlock = await usable(folder);
  const db = openDatabase(folder, unlock);
  const raw = rawStore(db);
  const read = reader(raw);
  let jobs: Job[] = [];
  let working: Promise<void> | undefined;

  function nextIndex(): number {
    const index = lastIndex(read) + 1;
    raw.put(`i${LAST}`, encodeIndex(index));
    return index;
  }

  async function work() {
    while (jobs.length > 0) {
      const batch = jobs;
      jobs = [];
      const failure = await db
        .transaction(() => {
          for (const job of batch) job.run();
        })
        .then(
          () => undefined,
          (error: unknown) => error ?? new Error("the store refused the write"),
        );
      // A read of this same turn may hold an older snapshot; whoever is woken now must see the commit.
      db.resetReadTxn();
      for (const job of batch) job.settle(failure);
    }
    working = undefined;
  }

  return {
    read,
    write<T>(change: (tx: Transaction) => T): Promise<T> {
      return new Promise((resolve, reject) => {
        jobs.push(job(change, () => openTransaction(raw, nextIndex), { resolve, reject }));
        working ??= work();
      });
    },
    async close() {
      await working;
      await db.close();
      await unlock();
    },
  };
}

/** The index at which a table last changed; 0 if never. */
export function tableIndex(from: Reader, table: string): number {
  return from.get("indexes", table)?.readDoubleBE(0) ?? 0;
}

/** The index of the latest change of anything; 0 in an empty store. */
export function lastIndex(from: Reader): number {
  return tableIndex(from, LAST);
}

export function setTableIndex(tx: Transaction, table: string, index: number): void {
  tx.put("indexes", table, encodeIndex(index));
}

export function encodeIndex(index: number): Buffer {
  const encoded = Buffer.allocUnsafe(8);
  encoded.writeDoubleBE(index);
  return encoded;
}

function job<T>(
  change: (tx: Transaction) => T,
  begin: () => ReturnType<typeof openTransaction>,
  answer: { resolve: (value: T) => void; reject: (error: unknown) => void },
): Job {
  let done: () => void = () => undefined;
  return {
    run() {
      const tx = begin();
      try {
        const result = change(tx);
        tx.flush();
        done = () => {
          for (const effect of tx.effects) effect();
          answer.resolve(result);
        };
      } catch (error) {
        done = () => answer.reject(error);
      }
    },
    settle(failure) {
      if (failure) answer.reject(failure);
      else done();
    },
  };
}

async function usable(folder: string): Promise<() => Promise<void>> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new Error(`The data folder ${folder} cannot be created: ${reason(cause)}.`, { cause });
  }
  return lockFolder(folder);
}

function openDatabase(folder: string, unlock: () => Promise<void>): Database<Buffer, string> {
  try {
    return open<Buffer, string>({
      path: join(folder, "consul.mdb"),
      encoding: "binary",
      // Plain UTF-8 bytes, because Consul orders keys by bytes and a prefix must be a byte prefix.
      keyEncoder: {
        writeKey: (key: string, target: Buffer, at: number) => at + target.write(key, at, "utf8"),
        readKey: (source: Buffer, start: number, end: number) => source.toString("utf8", start, end),
      },
      pageSize: 8192,
    });
  } catch (cause) {
    void unlock();
    throw new Error(`The data folder ${folder} cannot be used: ${reason(cause)}.`, { cause });
  }
}

function rawStore(db: Database<Buffer, string>): RawStore {
  return {
    get: (key) => db.get(key),
    // No byte of UTF-8 is 0xFF, and U+10FFFF sorts after every character in use.
    range: (prefix) => db.getRange({ start: prefix, end: `${prefix}\u{10FFFF}` }) as Iterable<Entry>,
    put: (key, value) => db.putSync(key, value),
    remove: (key) => {
      db.removeSync(key);
    },
  };
}

export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
