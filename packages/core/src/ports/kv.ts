/** A key with its value. `modifyIndex` is Consul's uint64 as a decimal string: compare for equality, never as a number. */
export interface KvEntry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly modifyIndex: string;
  /** The session that holds the key as a lock. */
  readonly session?: string;
}

/** One operation of a transaction; each names an exact key, so nothing can be deleted by a prefix. */
export type KvOp =
  | { readonly verb: "set"; readonly key: string; readonly value: Uint8Array }
  /** Writes only if the key is still at `index`; "0": only if it does not exist. */
  | { readonly verb: "cas"; readonly key: string; readonly value: Uint8Array; readonly index: string }
  /** Deletes only if the key is still at `index`; a key that is gone already counts as deleted. */
  | { readonly verb: "delete-cas"; readonly key: string; readonly index: string }
  | { readonly verb: "delete"; readonly key: string }
  | { readonly verb: "check-index"; readonly key: string; readonly index: string }
  | { readonly verb: "check-not-exists"; readonly key: string };

/** Says that a write counts only while this session holds this lock. */
export interface KvFence {
  readonly key: string;
  readonly session: string;
}

export type KvCommit =
  /** `index` is the ModifyIndex of every key the transaction really changed. */
  | { readonly applied: true; readonly index: string }
  /** Nothing was written; `op` is the position in the given operations. */
  | {
      readonly applied: false;
      readonly conflicts: readonly { readonly op: number; readonly what: string }[];
    };

export interface KvLimits {
  /** Operations of the caller that fit one `commit` (one is kept free for the fence). */
  readonly operations: number;
  /** Bytes of one request's JSON body, base64 included. */
  readonly bodyBytes: number;
  /** Bytes of one value. */
  readonly valueBytes: number;
}

export interface KvLockOptions {
  /** How long the lock outlives a holder that went silent, in milliseconds (Consul: 10 s to 24 h). */
  readonly ttlMs: number;
  /** How long after a holder was lost nobody may take the lock, in milliseconds. */
  readonly lockDelayMs: number;
  /** Who holds it, for people: written as the lock key's value. */
  readonly holder: string;
}

/** A lock that is held. */
export interface KvLock {
  readonly fence: KvFence;
  /** Aborts as soon as the lock is lost, or can no longer be known to be held. */
  readonly lost: AbortSignal;
  /** Gives the lock up, without a lock delay for the next holder. Never rejects. */
  release(): Promise<void>;
}

/**
 * Consul's KV as the services see it. Every member may throw KV_UNREACHABLE (transient), KV_DENIED, KV_FILTERED or KV_INVALID;
 * an answer is always a whole answer: what could not be read is thrown, never returned as absent.
 */
export interface Kv {
  /** What one `commit` and one value may hold, as far as the server has told. */
  readonly limits: KvLimits;
  /** The key, or undefined where the server says that it does not exist. */
  get(key: string, signal?: AbortSignal): Promise<KvEntry | undefined>;
  /** The keys that exist among these, in as few requests as the limits allow; each request sees one moment. */
  getMany(keys: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, KvEntry>>;
  /**
   * Everything under a prefix that ends with "/", as of one moment, in key order. With `keep`, what that makes of each entry:
   * entries are handed to it as they arrive, so that the values need not all be in memory at once. It must only compute: a list
   * may fail, or be read a second time, after it was called.
   */
  list<T = KvEntry>(
    prefix: string,
    signal?: AbortSignal,
    keep?: (entry: KvEntry) => T,
  ): Promise<readonly T[]>;
  /**
   * The names of the keys under a prefix that ends with "/", in key order, where none of them was written after the ModifyIndex
   * `since`; undefined where one may have been, and where there is none. A removal may show by nothing but the missing name.
   */
  namesUnlessWritten(
    prefix: string,
    since: string,
    signal?: AbortSignal,
  ): Promise<readonly string[] | undefined>;
  /**
   * All of the operations or none. With a fence that no longer holds: throws LOCK_LOST, nothing written. A request whose
   * answer was lost throws KV_UNREACHABLE and may have been applied: read again before you decide.
   */
  commit(
    ops: readonly KvOp[],
    options?: { readonly fence?: KvFence },
    signal?: AbortSignal,
  ): Promise<KvCommit>;
  /** Writes one value that is too large for a transaction, if the key is still at `index` ("0": does not exist); false: it is not. */
  putLarge(key: string, value: Uint8Array, index: string, signal?: AbortSignal): Promise<boolean>;
  /**
   * The key now, then each time it changed, coalesced to the latest state; ends when the signal aborts. Failures are retried
   * inside with backoff and reported through `onError`; nothing is yielded for them. Of a key that ends with "/" everything under
   * it is watched: `undefined` is yielded at first and after each change, and what changed is for `list` to say. Only for prefixes
   * with little under them.
   */
  watch(key: string, options: KvWatchOptions): AsyncIterable<KvEntry | undefined>;
  /** Waits until the lock is held; rejects with the signal's reason when it aborts first. */
  lock(key: string, options: KvLockOptions, signal: AbortSignal): Promise<KvLock>;
}

export interface KvWatchOptions {
  readonly signal: AbortSignal;
  readonly onError?: (error: unknown) => void;
}
