import { setMaxListeners } from "node:events";
import type { Kv } from "@sluice/core";
import type { Closers } from "../closers.ts";
import type { Environment } from "../environment.ts";
import type { PatternedEnvironment } from "./patterned.ts";
import { type BranchEntry, decodeRegistry } from "./registry.ts";

/** The environments there are now. */
export interface LiveEnvironments {
  /** Those of the configuration and those of branches; changes in place, so it is read anew each time. */
  readonly all: readonly Environment[];
  readonly patterned: readonly PatternedEnvironment[];
  /** Tells the environments of branches, now and each time they change, until `LiveEnvironments` is closed. */
  follow(listener: (environments: readonly Environment[]) => void): void;
}

export interface LiveOptions {
  readonly fixed: readonly Environment[];
  readonly patterned: readonly PatternedEnvironment[];
  readonly kv: Kv;
  readonly closing: Closers;
}

/**
 * Learns from the registries in the KV which branches have an environment, whichever process writes them. A registry that
 * cannot be read, or is gone, changes nothing.
 */
export function liveEnvironments({ fixed, patterned, kv, closing }: LiveOptions): LiveEnvironments {
  const all = [...fixed];
  const known = new Map<PatternedEnvironment, readonly Environment[]>();
  const listeners: ((environments: readonly Environment[]) => void)[] = [];
  const stopping = new AbortController();
  // Each pattern's watch listens; Node takes more than ten listeners for a leak.
  setMaxListeners(0, stopping.signal);
  const ofBranches = () => patterned.flatMap((one) => known.get(one) ?? []);

  function learn(one: PatternedEnvironment, entries: readonly BranchEntry[]) {
    const before = new Map((known.get(one) ?? []).map((environment) => [environment.name, environment]));
    const now = entries
      .filter(({ state }) => state !== "removing")
      .map(({ name, branch }) => before.get(name) ?? one.environmentOf(branch));
    known.set(one, now);
    all.splice(fixed.length, all.length, ...ofBranches());
    for (const listener of listeners) listener(ofBranches());
  }
  async function watch(one: PatternedEnvironment) {
    for await (const entry of kv.watch(one.registryKey, { signal: stopping.signal })) {
      const entries = decodeRegistry(one.name, entry);
      if (entries) learn(one, entries);
    }
  }
  // A watch retries inside; it ends with the signal.
  const watching = patterned.map((one) => watch(one).catch(() => undefined));
  closing.add("registries of branches", async () => {
    stopping.abort();
    await Promise.all(watching);
  });
  return {
    all,
    patterned,
    follow(listener) {
      listeners.push(listener);
      listener(ofBranches());
    },
  };
}
