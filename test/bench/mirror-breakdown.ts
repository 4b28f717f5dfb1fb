import { setImmediate } from "node:timers/promises";
import { consulKv } from "@sluice/consul";
import { envName, type Kv, kvLayout, type Source, systemClock } from "@sluice/core";
import { gitSource } from "@sluice/git";
import { mirror } from "@sluice/mirror";
import { percentile } from "./bench.ts";
import type { Place } from "./mirror-measure.ts";
import { blockingReader } from "./mirror-reader.ts";

/** A moment on the way of one changed file. */
type Moment = "moved" | "woken" | "head" | "diff" | "sent" | "answered" | "shown";
type Way = ReadonlyMap<Moment, number>;
type Stamp = (moment: Moment) => void;

/** The parts of the way; the first five follow each other, so together they are all of it. */
const PARTS: readonly (readonly [part: string, from: Moment, to: Moment])[] = [
  ["from the branch's move to the wake-up", "moved", "woken"],
  ["the branch's head", "woken", "head"],
  ["what differs", "head", "diff"],
  ["its author, its contents, our own work", "diff", "sent"],
  ["from the transaction to the woken reader", "sent", "shown"],
  ["of that, until the transaction is answered", "sent", "answered"],
];
const ROUNDS = 30;
const WARM = 5;

/** Where the milliseconds of one changed file go, by medians: the same mirror in this process, with a clock at each of its ports. */
export async function breakdown(place: Place): Promise<readonly (readonly [part: string, ms: number])[]> {
  const ways = await stampedWays(place);
  return PARTS.map(([part, from, to]) => {
    const samples = ways.map((way) => (way.get(to) ?? Number.NaN) - (way.get(from) ?? Number.NaN));
    return [part, percentile(samples, 0.5)] as const;
  });
}

async function stampedWays({ consul, prefix, repository }: Place): Promise<readonly Way[]> {
  const environment = envName("steps");
  const shared = { clock: systemClock, random: Math.random };
  const source = await gitSource({ repository: repository.folder, branch: "main", cacheDir: "", ...shared });
  const kv = consulKv({ address: consul, ...shared });
  const reader = await blockingReader(consul, kvLayout(prefix, environment).revision);
  const stop = new AbortController();
  const way = new Map<Moment, number>();
  // The first of each counts: a move may wake the mirror twice.
  const stamp: Stamp = (moment) => {
    if (way.has("moved") && !way.has(moment)) way.set(moment, performance.now());
  };
  const ports = { source: stampedSource(source, stamp), kv: stampedKv(kv, stamp) };
  const events = { emit: () => undefined };
  const done = mirror({ environment, prefix, ...ports, ...shared, events, holder: "bench" }).run(stop.signal);
  const ways: Way[] = [];
  try {
    await reader.until((marker) => marker.includes('"synced"'));
    for (let round = 0; round < WARM + ROUNDS; round++) {
      const commit = await repository.next({ changed: 1 });
      way.clear();
      way.set("moved", performance.now());
      await repository.move(commit);
      way.set("shown", await reader.until((marker) => marker.includes(commit)));
      // A reader may be told before the writer is.
      while (!way.has("answered")) await setImmediate();
      if (round >= WARM) ways.push(new Map(way));
    }
    return ways;
  } finally {
    stop.abort();
    await done;
    reader.close();
    await Promise.all([source.close(), kv.close()]);
  }
}

function stampedSource(source: Source, stamp: Stamp): Source {
  return {
    ...source,
    head: (signal) => after(source.head(signal), "head", stamp),
    changes: (from, to, signal) => after(source.changes(from, to, signal), "diff", stamp),
    async *watch(signal) {
      for await (const _ of source.watch?.(signal) ?? []) {
        stamp("woken");
        yield;
      }
    },
  };
}

function stampedKv(kv: Kv, stamp: Stamp): Kv {
  return {
    ...kv,
    commit(...given) {
      stamp("sent");
      return after(kv.commit(...given), "answered", stamp);
    },
  };
}

async function after<T>(work: Promise<T>, moment: Moment, stamp: Stamp): Promise<T> {
  const result = await work;
  stamp(moment);
  return result;
}
