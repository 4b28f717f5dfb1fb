import { consulKv } from "@sluice/consul";
import {
  type Clock,
  type EventSink,
  envName,
  kvLayout,
  type RevisionMarker,
  systemClock,
} from "@sluice/core";
import { type RecordingSink, recordingSink } from "@sluice/core/testing";
import { gitSource } from "@sluice/git";
import { mirror } from "@sluice/mirror";

/** A mirror that is told to look and does not within this time hangs, in milliseconds. */
const LOOK_MS = 20_000;

export const ENVIRONMENT = envName("e");

export interface RunningMirror {
  readonly sink: RecordingSink;
  wake(): void;
  /** Wakes it, and waits until a pass has ended that began after this call. */
  passed(): Promise<void>;
  /** Wakes it, and waits until it says that the commit is mirrored; at once where it said so last. */
  synced(commit: string): Promise<void>;
  stop(): Promise<void>;
}

export interface RunningMirrorOptions {
  readonly address: string;
  /** Of all keys, ends with a slash. */
  readonly prefix: string;
  readonly repository: string;
  readonly folder?: string;
  /** Of requests to Consul, in milliseconds. */
  readonly timeoutMs?: number;
}

/** A mirror in this process; what it waits for, it waits for a twentieth of the time. */
export async function runMirror(options: RunningMirrorOptions): Promise<RunningMirror> {
  const { address, repository, prefix, folder = "", timeoutMs = 10_000 } = options;
  const random = Math.random;
  const clock = hasty(20);
  const kv = consulKv({ address, timeoutMs, clock });
  const source = await gitSource({
    repository,
    branch: "main",
    path: folder,
    cacheDir: repository,
    clock: systemClock,
    random,
  });
  const sink = recordingSink();
  const told: (() => void)[] = [];
  const events: EventSink = {
    emit(event) {
      sink.emit(event);
      if (event.type === "mirror.synced") for (const tell of told.splice(0)) tell();
    },
  };
  const stop = new AbortController();
  const looked: (() => void)[] = [];
  const counted = {
    ...source,
    async head(signal?: AbortSignal) {
      for (const tell of looked.splice(0)) tell();
      return source.head(signal);
    },
  };
  const lock = { ttlMs: 10_000, lockDelayMs: 1 };
  const service = mirror({
    environment: ENVIRONMENT,
    source: counted,
    kv,
    prefix,
    clock,
    random,
    events,
    holder: "history",
    lock,
  });
  const done = service.run(stop.signal);

  /** A pass begins with a look at the branch; those that look later began later. */
  function nextLook(): Promise<void> {
    const look = new Promise<void>((resolve) => looked.push(resolve));
    service.wake();
    return within(LOOK_MS, look);
  }
  return {
    sink,
    wake: service.wake,
    async passed() {
      await nextLook();
      await nextLook();
    },
    async synced(commit) {
      service.wake();
      while (!sink.of("mirror.synced").at(-1)?.revision.endsWith(commit))
        await within(LOOK_MS, new Promise<void>((resolve) => told.push(resolve)));
    },
    async stop() {
      stop.abort();
      await done;
      await source.close();
      await kv.close();
    },
  };
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the mirror did not look at the branch within ${ms} ms`)), ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function hasty(times: number): Clock {
  return { now: systemClock.now, sleep: (ms, signal) => systemClock.sleep(ms / times, signal) };
}

/** A key as Consul's own HTTP API shows it. */
export interface RawKey {
  readonly value: Buffer;
  readonly index: number;
}

/** Everything under a prefix, past every adapter of ours. */
export async function rawKeys(address: string, prefix: string): Promise<Map<string, RawKey>> {
  const answer = await fetch(`${address}/v1/kv/${prefix}?recurse&consistent`);
  if (answer.status === 404) return new Map();
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  const rows = (await answer.json()) as { Key: string; Value: string | null; ModifyIndex: number }[];
  return new Map(
    rows.map(({ Key, Value, ModifyIndex }) => [
      Key,
      { value: Buffer.from(Value ?? "", "base64"), index: ModifyIndex },
    ]),
  );
}

/** What an environment looks like to someone who trusts nobody. */
export interface RawMirrored {
  readonly marker: RevisionMarker | undefined;
  /** By the path's spelling in the KV. */
  readonly files: Map<string, Buffer>;
  /** All the other keys under the prefix. */
  readonly others: Map<string, RawKey>;
}

export async function rawMirrored(address: string, prefix: string): Promise<RawMirrored> {
  const layout = kvLayout(prefix, ENVIRONMENT);
  const files = new Map<string, Buffer>();
  const others = new Map<string, RawKey>();
  let marker: RevisionMarker | undefined;
  for (const [key, raw] of await rawKeys(address, prefix)) {
    if (key === layout.revision) marker = JSON.parse(raw.value.toString()) as RevisionMarker;
    else if (key.startsWith(layout.files)) files.set(key.slice(layout.files.length), raw.value);
    else others.set(key, raw);
  }
  return { marker, files, others };
}

/** Keys of others, close enough to be hit by a prefix that is cut wrongly. */
export async function plantNeighbours(address: string, prefix: string): Promise<Map<string, RawKey>> {
  const names = [
    "files",
    "files2/a",
    "filesX",
    "files.yml",
    "status/apps/web",
    "control/suspend",
    "changes2/x",
  ];
  const keys = [
    ...names.map((name) => `${prefix}${ENVIRONMENT}/${name}`),
    `${prefix}${ENVIRONMENT}2/files/a`,
  ];
  for (const key of [...keys, `${prefix}files/a`, `${prefix}revision`])
    await fetch(`${address}/v1/kv/${key}`, { method: "PUT", body: `of others: ${key}` });
  return rawKeys(address, prefix);
}
