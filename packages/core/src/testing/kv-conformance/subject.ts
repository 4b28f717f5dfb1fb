import { expect } from "vitest";
import type { Kv, KvEntry, KvOp } from "../../ports/kv.ts";

/** Two clients of one server. */
export interface KvPair {
  readonly kv: Kv;
  readonly another: Kv;
  stop(): Promise<void>;
}

export type KvSetup = () => Promise<KvPair>;

/** What one test works with: the two clients, and a prefix nobody else uses, with a slash at its end. */
export interface KvSubject {
  readonly kv: Kv;
  readonly another: Kv;
  readonly prefix: string;
}

export type Subjects = () => KvSubject;

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export const textOf = (entry: KvEntry | undefined): string | undefined =>
  entry && new TextDecoder().decode(entry.value);

/** Sets texts in one transaction and gives the index they were written at. */
export async function write(kv: Kv, texts: Record<string, string>): Promise<string> {
  const ops = Object.entries(texts).map(([key, text]): KvOp => ({ verb: "set", key, value: bytes(text) }));
  const done = await kv.commit(ops);
  if (!done.applied) throw new Error(`not written: ${JSON.stringify(done.conflicts)}`);
  return done.index;
}

/** Everything under a prefix as texts. */
export async function contentOf(kv: Kv, prefix: string): Promise<Record<string, string>> {
  const entries = await kv.list(prefix);
  return Object.fromEntries(entries.map((entry) => [entry.key, textOf(entry) ?? ""]));
}

/** The entry, or the test fails: for keys the test has written itself. */
export async function existing(kv: Kv, key: string): Promise<KvEntry> {
  const entry = await kv.get(key);
  if (!entry) throw new Error(`the key ${key} is not there`);
  return entry;
}

/** The error a promise rejects with; fails where it resolves. */
export async function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => expect.fail(`resolved with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve());
  });
}
