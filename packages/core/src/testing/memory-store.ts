import { SluiceError } from "../errors.ts";
import type { KvCommit, KvEntry, KvFence, KvLimits, KvLock, KvOp } from "../ports/kv.ts";

/** What a Consul server keeps: keys, one index over all of them, and who holds which lock. */
export interface MemoryStore {
  readonly entries: ReadonlyMap<string, KvEntry>;
  readonly commits: readonly (readonly KvOp[])[];
  /** Told after every change. */
  readonly watchers: Set<() => void>;
  /** In key order. */
  under(prefix: string): KvEntry[];
  write(key: string, value: Uint8Array): void;
  remove(key: string): void;
  /** @throws LOCK_LOST, or KV_INVALID beyond the limits. */
  transact(ops: readonly KvOp[], fence: KvFence | undefined): KvCommit;
  /** As `transact`, of one operation whose size only the limit of a value bounds; false: a conflict. */
  transactLarge(op: KvOp): boolean;
  /** The lock, or undefined while another session holds it. */
  hold(key: string, holder: string): Pick<KvLock, "fence" | "lost"> | undefined;
  /** Ends a session, if it still holds the lock. */
  loose(fence: KvFence): void;
}

export function memoryStore(limits: KvLimits): MemoryStore {
  const entries = new Map<string, KvEntry>();
  const watchers = new Set<() => void>();
  const commits: (readonly KvOp[])[] = [];
  let index = 0;

  function change(draft: Draft): string {
    index += 1;
    for (const [key, entry] of draft) {
      if (entry) entries.set(key, entry);
      else entries.delete(key);
    }
    locks.depose();
    for (const notify of [...watchers]) notify();
    return String(index);
  }
  function keep(key: string, entry: Omit<KvEntry, "key" | "modifyIndex"> | undefined) {
    change(new Map([[key, entry && { ...entry, key, modifyIndex: String(index + 1) }]]));
  }
  function apply(ops: readonly KvOp[]): KvCommit {
    const { draft, conflicts } = drafted(ops, entries, String(index + 1));
    if (conflicts.length > 0) return { applied: false, conflicts };
    commits.push(ops);
    return { applied: true, index: change(draft) };
  }

  const locks = lockTable(entries, keep);
  return {
    entries,
    commits,
    watchers,
    hold: locks.hold,
    loose: locks.loose,
    under: (prefix) =>
      [...entries.values()]
        .filter((one) => one.key.startsWith(prefix))
        .sort((a, b) => (a.key < b.key ? -1 : 1)),
    write(key, value) {
      const old = entries.get(key);
      if (!old || Buffer.compare(old.value, value) !== 0)
        keep(key, { ...old, value: Uint8Array.from(value) });
    },
    remove: (key) => keep(key, undefined),
    transact(ops, fence) {
      refuseTooLarge(ops, limits);
      locks.check(fence);
      return apply(ops);
    },
    transactLarge(op) {
      refuseLargeValues([op], limits);
      return apply([op]).applied;
    },
  };
}

/** Who holds which lock; the key of a lock tells people and readers the same. */
function lockTable(
  entries: ReadonlyMap<string, KvEntry>,
  keep: (key: string, entry: Omit<KvEntry, "key" | "modifyIndex"> | undefined) => void,
): Pick<MemoryStore, "hold" | "loose"> & { check(fence: KvFence | undefined): void; depose(): void } {
  const holders = new Map<string, { readonly fence: KvFence; readonly controller: AbortController }>();
  let sessions = 0;
  return {
    check(fence) {
      if (fence && holders.get(fence.key)?.fence.session !== fence.session)
        throw new SluiceError("LOCK_LOST", `the lock ${fence.key} is not held`);
    },
    /** A lock lives in its key: whoever deletes the key ends it. */
    depose() {
      for (const [key, { controller }] of holders) {
        if (entries.has(key)) continue;
        holders.delete(key);
        controller.abort(new SluiceError("LOCK_LOST", `the lock ${key} was lost`));
      }
    },
    hold(key, holder) {
      if (holders.has(key)) return undefined;
      sessions += 1;
      const fence = { key, session: `session-${sessions}` };
      const controller = new AbortController();
      holders.set(key, { fence, controller });
      keep(key, { value: new TextEncoder().encode(holder), session: fence.session });
      return { fence, lost: controller.signal };
    },
    loose({ key, session }) {
      const held = holders.get(key);
      if (held?.fence.session !== session) return;
      holders.delete(key);
      held.controller.abort(new SluiceError("LOCK_LOST", `the lock ${key} was lost`));
      const entry = entries.get(key);
      keep(key, entry && { value: entry.value });
    },
  };
}

type Draft = Map<string, KvEntry | undefined>;

/** What a transaction would leave, each operation seeing those before it, and what stands in its way. */
function drafted(ops: readonly KvOp[], entries: ReadonlyMap<string, KvEntry>, index: string) {
  const draft: Draft = new Map();
  const conflicts = ops.flatMap((op, at) => {
    const now = draft.has(op.key) ? draft.get(op.key) : entries.get(op.key);
    const what = objection(op, now);
    if (what === undefined) draft.set(op.key, after(op, now, index));
    return what === undefined ? [] : [{ op: at, what }];
  });
  return { draft, conflicts };
}

function objection(op: KvOp, now: KvEntry | undefined): string | undefined {
  if (op.verb === "set" || op.verb === "delete") return undefined;
  if (op.verb === "check-not-exists") return now ? `the key ${op.key} exists` : undefined;
  if (op.verb === "delete-cas" && !now) return undefined;
  const at = now?.modifyIndex ?? "0";
  return op.index === at ? undefined : `the key ${op.key} is at ${at}, not ${op.index}`;
}

/** The key as the operation leaves it; a write of what is there already leaves its index as it is. */
function after(op: KvOp, now: KvEntry | undefined, modifyIndex: string): KvEntry | undefined {
  if (op.verb === "delete" || op.verb === "delete-cas") return undefined;
  if (op.verb !== "set" && op.verb !== "cas") return now;
  if (now && Buffer.compare(now.value, op.value) === 0) return now;
  return { ...now, key: op.key, value: Uint8Array.from(op.value), modifyIndex };
}

function refuseTooLarge(ops: readonly KvOp[], limits: KvLimits): void {
  if (ops.length > limits.operations)
    throw new SluiceError("KV_INVALID", `${ops.length} operations exceed the limit of ${limits.operations}`);
  refuseLargeValues(ops, limits);
  const bytes = ops.reduce((sum, op) => sum + op.key.length + base64Length(op), 0);
  if (bytes > limits.bodyBytes)
    throw new SluiceError(
      "KV_INVALID",
      `${bytes} bytes exceed the limit of ${limits.bodyBytes} for a request`,
    );
}

function refuseLargeValues(ops: readonly KvOp[], { valueBytes }: KvLimits): void {
  const large = ops.find((op) => "value" in op && op.value.byteLength > valueBytes);
  if (large)
    throw new SluiceError("KV_INVALID", `${large.key} exceeds the limit of ${valueBytes} bytes for a value`);
}

function base64Length(op: KvOp): number {
  return "value" in op ? 4 * Math.ceil(op.value.byteLength / 3) : 0;
}
