import type { Catalog, Clock, ServiceInstance } from "@sluice/core";

/** What the catalog says, as far as it has said it. */
export interface Snapshot {
  /** The services to route with their instances, as far as they have been read; undefined until the names have been. */
  services(): ReadonlyMap<string, readonly ServiceInstance[]> | undefined;
  /** Services to route that have not been read yet. */
  unread(): ReadonlySet<string>;
  /** When it last changed, and since when it has not been quiet, in milliseconds since the epoch. */
  readonly moved: { readonly first: number; readonly last: number };
  /** Called once what has moved is taken account of. */
  settle(): void;
  /** Whether a part of the catalog cannot be read for now: what it said last still holds. */
  failing(): boolean;
  /** Follows the catalog until the signal aborts. */
  follow(signal: AbortSignal): Promise<void>;
}

export interface SnapshotOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly wanted: (name: string, tags: readonly string[]) => boolean;
  readonly changed: () => void;
  readonly onError: (error: unknown) => void;
}

/** Watches the names, and each service that is to be routed. A service that is gone stays, with no instance. */
export function snapshotOf(options: SnapshotOptions): Snapshot {
  const { catalog, clock, wanted, changed, onError } = options;
  const instances = new Map<string, readonly ServiceInstance[] | undefined>();
  const watches = new Map<string, AbortController>();
  /** Services whose health cannot be read; undefined stands for the names. */
  const failing = new Set<string | undefined>();
  let named = false;
  let moved = { first: 0, last: 0 };

  function note() {
    const now = clock.now();
    moved = { first: moved.first === 0 ? now : moved.first, last: now };
    changed();
  }

  /** Tells of the failures of one watch, and wakes the router when they are over. */
  function heeding(name: string | undefined, signal: AbortSignal) {
    return {
      signal,
      onError(error: unknown) {
        failing.add(name);
        onError(error);
      },
      onRecovered() {
        failing.delete(name);
        changed();
      },
    };
  }

  async function followService(name: string, signal: AbortSignal) {
    for await (const found of catalog.watchService(name, heeding(name, signal))) {
      // What it told last may come after it was decided that it is not to be routed any more.
      if (signal.aborted) return;
      instances.set(name, found);
      note();
    }
  }

  function follow(names: ReadonlyMap<string, readonly string[]>, running: Set<Promise<void>>) {
    const chosen = [...names].filter(([name, tags]) => wanted(name, tags)).map(([name]) => name);
    for (const [name, stop] of watches) {
      if (chosen.includes(name)) continue;
      stop.abort();
      watches.delete(name);
      failing.delete(name);
      instances.set(name, []);
    }
    for (const name of chosen) {
      if (watches.has(name)) continue;
      const stop = new AbortController();
      watches.set(name, stop);
      if (!instances.has(name)) instances.set(name, undefined);
      const work = followService(name, stop.signal).finally(() => running.delete(work));
      running.add(work);
    }
  }

  return {
    services() {
      if (!named) return undefined;
      return new Map([...instances].flatMap(([name, found]) => (found ? [[name, found]] : [])));
    },
    unread: () => new Set([...instances].flatMap(([name, found]) => (found ? [] : [name]))),
    get moved() {
      return moved;
    },
    settle() {
      moved = { first: 0, last: moved.last };
    },
    failing: () => failing.size > 0,
    async follow(signal) {
      const running = new Set<Promise<void>>();
      for await (const names of catalog.watchNames(heeding(undefined, signal))) {
        // A catalog without any service, not even Consul's own, is one that may not be read.
        if (names.size === 0) continue;
        named = true;
        follow(names, running);
        note();
      }
      for (const stop of watches.values()) stop.abort();
      await Promise.all(running);
    },
  };
}
