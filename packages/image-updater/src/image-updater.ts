import {
  type Clock,
  type Committer,
  type EnvName,
  type EventSink,
  emitterFor,
  type Kv,
  kvLayout,
  leadWhileHeld,
  missingRules,
  type Random,
  type Source,
} from "@sluice/core";
import { serveTerm, type Telling, tellFailure } from "./lead.ts";
import type { Pace, Settings } from "./pass.ts";

export interface ImageUpdaterOptions {
  readonly environment: EnvName;
  /** The environment's branch and folder; the committer commits to the same. */
  readonly source: Source;
  readonly committer: Committer;
  readonly kv: Kv;
  /** Of all keys: `sluice/`. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
  /** Who this is, for people who look at the lock. */
  readonly holder: string;
  /** Time between passes when nothing wakes the updater, in milliseconds. Default: 30 s. */
  readonly intervalMs?: number;
  readonly pace?: Partial<Pace>;
  readonly lock?: { readonly ttlMs: number; readonly lockDelayMs: number };
  /** Told at each look: of how many images something is announced. */
  readonly looked?: (announced: number) => void;
}

export interface ImageUpdater {
  /** Says that the branch or an image may have moved. */
  wake(): void;
  /** Commits while it holds the lock, stands by while another does; until the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

const PACE: Pace = { quietMs: 200, maxDelayMs: 2_000, pauseMs: 1_000, mostPauseMs: 10_000 };

/** Makes announced image versions commits of the deploy repo, as `images` of its `deploy.yaml` says. */
export function imageUpdater(options: ImageUpdaterOptions): ImageUpdater {
  const { environment, source, committer, kv, prefix, clock, random, events, holder } = options;
  const settings: Settings = {
    source,
    committer,
    kv,
    layout: kvLayout(prefix, environment),
    clock,
    random,
    emit: emitterFor(environment, events, clock),
    intervalMs: options.intervalMs ?? 30_000,
    pace: { ...PACE, ...options.pace },
    looked: options.looked,
  };
  const onMissing = missingRules(settings.emit, "image-updater");
  const telling: Telling = { wake: () => undefined, failing: false, waiting: undefined, onMissing };
  const lock = { ttlMs: 15_000, lockDelayMs: 1_000, ...options.lock, holder };
  return {
    wake: () => telling.wake(),
    run: (signal) =>
      leadWhileHeld(
        {
          kv,
          key: settings.layout.lock("image-updater"),
          lock,
          role: "image-updater",
          emit: settings.emit,
          clock,
          random,
          onFailure: (error) => tellFailure(settings, telling, error),
        },
        (held, term) => serveTerm(settings, held, telling, term),
        signal,
      ),
  };
}
