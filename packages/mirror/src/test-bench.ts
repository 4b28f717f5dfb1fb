import {
  blobId,
  type CommitId,
  decodeRecord,
  EMPTY_DIGEST,
  encodePath,
  envName,
  type FilePath,
  type Kv,
  type KvOp,
  kvLayout,
  type RevisionMarker,
  toggleFiles,
} from "@sluice/core";
import {
  type ManualClock,
  type MemoryKv,
  type MemorySource,
  manualClock,
  memoryKv,
  memorySource,
  type RecordingSink,
  recordingSink,
} from "@sluice/core/testing";
import { type Mirror, type MirrorOptions, mirror } from "./mirror.ts";

export const LAYOUT = kvLayout("sluice/", envName("staging"));

/** A mirror between a repository and a KV in memory, under a clock the test moves. */
export interface Bench {
  readonly kv: MemoryKv;
  readonly source: MemorySource;
  readonly clock: ManualClock;
  readonly sink: RecordingSink;
  /** Faults a reader of the KV would have met: a marker that says `synced` over files that are not that revision. */
  readonly mixes: string[];
  mirror(): Mirror;
  /** Lets the mirror do all it can without time passing. */
  settle(): Promise<void>;
  /** Stops the mirror where it stands and starts another one that knows nothing. */
  restart(): Promise<void>;
  /** Ends the lock's session, as a paused process finds it. */
  depose(): void;
  marker(): RevisionMarker | undefined;
  files(): Record<string, string>;
  stop(): Promise<void>;
}

/** @param options what differs from the usual; a function is asked at every start. */
export function bench(
  limits: Partial<Kv["limits"]> = {},
  options: Partial<MirrorOptions> | ((source: MemorySource) => Partial<MirrorOptions>) = {},
): Bench {
  const kv = memoryKv(limits);
  const clock = manualClock();
  const source = memorySource();
  const sink = recordingSink();
  const mixes: string[] = [];
  const fences: { key: string; session: string }[] = [];
  let running: { mirror: Mirror; stop: AbortController; done: Promise<void> } | undefined;

  function start() {
    const stop = new AbortController();
    const one = mirror({
      environment: envName("staging"),
      source,
      kv: observed(kv, mixes, fences),
      prefix: "sluice/",
      clock,
      random: () => 0.5,
      events: sink,
      holder: "test",
      ...(typeof options === "function" ? options(source) : options),
    });
    running = { mirror: one, stop, done: one.run(stop.signal) };
  }
  async function stop() {
    running?.stop.abort();
    await running?.done;
  }
  start();
  return {
    kv,
    source,
    clock,
    sink,
    mixes,
    stop,
    mirror: () => (running as NonNullable<typeof running>).mirror,
    settle: () => clock.advance(0).then(() => quiet(clock)),
    async restart() {
      const ended = stop();
      start();
      await ended;
    },
    depose: () => fences.splice(0).forEach((fence) => void kv.expire(fence)),
    marker: () => markerIn(kv),
    files: () => filesIn(kv),
  };
}

/** Waits until everything that runs sleeps under the clock. */
async function quiet(clock: ManualClock): Promise<void> {
  for (let turn = 0; turn < 2000; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (turn > 10 && clock.sleepers() > 0) return;
  }
}

/** What a KV of these files holds, as keys relative to `files/` and texts. */
export function expectedFiles(files: Readonly<Record<string, string | Uint8Array>>): Record<string, string> {
  const pairs = Object.entries(files).map(([path, text]) => [
    encodePath(path),
    Buffer.from(text as string).toString(),
  ]);
  return Object.fromEntries(pairs.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)));
}

export function digestOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  return toggleFiles(
    EMPTY_DIGEST,
    Object.entries(files).map(([path, text]) => ({
      path: encodePath(path),
      oid: blobId(Buffer.from(text as string)),
    })),
  );
}

export function commitOf(marker: RevisionMarker | undefined): CommitId | undefined {
  return marker?.revision.slice(-40) as CommitId | undefined;
}

function filesIn(kv: MemoryKv): Record<string, string> {
  const all = Object.entries(kv.dump(LAYOUT.files));
  return Object.fromEntries(all.map(([key, text]) => [key.slice(LAYOUT.files.length), text]));
}

function markerIn(kv: MemoryKv): RevisionMarker | undefined {
  const text = kv.dump(LAYOUT.revision)[LAYOUT.revision];
  if (text === undefined) return undefined;
  return decodeRecord("marker", { key: LAYOUT.revision, value: Buffer.from(text), modifyIndex: "1" });
}

/** The KV with a reader who looks after every write, and who measures each request. */
function observed(kv: MemoryKv, mixes: string[], fences: { key: string; session: string }[]): Kv {
  async function looking<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } finally {
      const problem = mixIn(kv);
      if (problem) mixes.push(problem);
    }
  }
  return {
    ...kv,
    get limits() {
      return kv.limits;
    },
    commit(ops, options, signal) {
      const bytes = Buffer.byteLength(JSON.stringify(ops.map(wireForm)));
      if (ops.length > kv.limits.operations) mixes.push(`${ops.length} operations`);
      if (bytes > kv.limits.bodyBytes) mixes.push(`${bytes} bytes of body`);
      if (!options?.fence) mixes.push("a commit without a fence");
      mixes.push(...ops.filter((op) => !isOurs(op)).map((op) => `${op.verb} ${op.key}`));
      return looking(kv.commit(ops, options, signal));
    },
    putLarge(key, value, index, signal) {
      if (markerIn(kv)?.state !== "applying") mixes.push("a large value outside of applying");
      return looking(kv.putLarge(key, value, index, signal));
    },
    async lock(key, options, signal) {
      const lock = await kv.lock(key, options, signal);
      fences.push(lock.fence);
      return lock;
    },
  };
}

/** The operations a mirror may make: files are only touched where they are as they were seen. */
function isOurs({ verb, key }: KvOp): boolean {
  if (key.startsWith(LAYOUT.files)) return verb === "cas" || verb === "delete-cas";
  if (key.startsWith(LAYOUT.changes)) return verb === "set" || verb === "delete";
  return key === LAYOUT.revision && (verb === "cas" || verb === "check-index");
}

function wireForm(op: KvOp): unknown {
  const value = "value" in op ? Buffer.from(op.value).toString("base64") : undefined;
  return { KV: { Verb: op.verb, Key: op.key, Value: value, Index: 1234567890 } };
}

function mixIn(kv: MemoryKv): string | undefined {
  const marker = markerIn(kv);
  if (marker?.state !== "synced") return undefined;
  const files = Object.entries(kv.dump(LAYOUT.files)).map(([key, text]) => ({
    path: key.slice(LAYOUT.files.length) as FilePath,
    oid: blobId(Buffer.from(text)),
  }));
  if (files.length === marker.files && toggleFiles(EMPTY_DIGEST, files) === marker.digest) return undefined;
  return `the marker says ${marker.revision}, the files do not`;
}
