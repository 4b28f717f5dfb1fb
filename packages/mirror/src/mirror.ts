import {
  type Clock,
  type EnvName,
  type EventSink,
  emitterFor,
  type Kv,
  kvLayout,
  missingRules,
  type Random,
  type Source,
} from "@sluice/core";
import { keyOfPath } from "./expand/key-name.ts";
import { type Lead, lead } from "./lead.ts";
import type { Settings } from "./pass.ts";
import { readAhead } from "./read-ahead.ts";

export interface MirrorOptions {
  readonly environment: EnvName;
  readonly source: Source;
  readonly kv: Kv;
  /** Of all keys: `sluice/`. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
  /** Who this is, for people who look at the lock. */
  readonly holder: string;
  /** Time between passes when nothing wakes the mirror, in milliseconds. Default: 30 s. */
  readonly intervalMs?: number;
  /** Time between comparisons of everything, in milliseconds. Default: 10 min. */
  readonly auditIntervalMs?: number;
  readonly lock?: { readonly ttlMs: number; readonly lockDelayMs: number };
  /** A revision with a larger file is refused. Default: what a value of the KV may hold. */
  readonly maxFileBytes?: number;
  /** How many records of what a revision changed are kept. Default: 50. */
  readonly keepChanges?: number;
  /**
   * The source's paths are keys of the KV, among keys of others: the files go there instead of below `<prefix>/<env>/files/`,
   * and no key is touched that was never the key of a file.
   */
  readonly sharedKeys?: {
    /** The key in which git2consul kept the commit it had mirrored: keys of files deleted since then are removed. */
    readonly ref?: string | undefined;
    /** Whether that key is moved along, for readers that wait for it. Default: it is left alone. */
    readonly writeRef?: boolean;
  };
}

export interface Mirror {
  /** Says that the branch may have moved. */
  wake(): void;
  /** Mirrors while it holds the lock, stands by while another does; until the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/** Keeps the files of an environment in the KV equal to the tree of its branch's newest commit. */
export function mirror(options: MirrorOptions): Mirror {
  const { source, kv, clock, random } = options;
  const ahead = readAhead(source);
  const settings: Settings = {
    source,
    ahead,
    kv,
    clock,
    random,
    ...keysOf(options),
    emit: emitterFor(options.environment, options.events, clock),
    intervalMs: options.intervalMs ?? 30_000,
    auditIntervalMs: options.auditIntervalMs ?? 600_000,
    maxFileBytes: options.maxFileBytes ?? Number.POSITIVE_INFINITY,
    keepChanges: options.keepChanges ?? 50,
  };
  const lock = { ttlMs: 15_000, lockDelayMs: 1_000, ...options.lock, holder: options.holder };
  const onMissing = missingRules(settings.emit, "mirror");
  const state: Lead = { wake: () => undefined, failing: false, waiting: undefined, onMissing };
  return {
    wake: () => state.wake(),
    run: (signal) => {
      // A repository of this machine is read while the lock is asked for; the first pass then has its tree at hand.
      if (source.watch) void ahead.begin(signal);
      return lead(settings, lock, state, signal);
    },
  };
}

/** Where the files are, and which keys are whose. */
function keysOf({ prefix, environment, sharedKeys }: MirrorOptions): Pick<Settings, "layout" | "shared"> {
  const layout = kvLayout(prefix, environment);
  if (!sharedKeys) return { layout, shared: undefined };
  const claims = layout.files.replace(/files\/$/, "claims/");
  return {
    layout: { ...layout, files: "", file: keyOfPath },
    shared: { claims, ref: sharedKeys.ref, writeRef: sharedKeys.writeRef ?? false },
  };
}
