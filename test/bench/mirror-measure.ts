import { percentile } from "./bench.ts";
import { type EngineProcess, mirrorConfig, startProcess } from "./mirror-engine.ts";
import { type BlockingReader, blockingReader } from "./mirror-reader.ts";
import type { MirrorRepository } from "./mirror-repository.ts";

/** Where a mirror of the benchmark works: one Consul, one prefix, one repository. */
export interface Place {
  readonly consul: string;
  readonly prefix: string;
  readonly repository: MirrorRepository;
}

export interface RunningMirror {
  readonly process: EngineProcess;
  readonly reader: BlockingReader;
  /** Milliseconds from the start of the process to the marker that says "whole", as a blocking reader sees it. */
  readonly firstMs: number;
  stop(): Promise<void>;
}

/** `sluice up mirror` on an empty prefix. */
export async function firstMirror(place: Place): Promise<RunningMirror> {
  const { consul, prefix, repository } = place;
  const reader = await blockingReader(consul, `${prefix}/bench/revision`);
  const config = mirrorConfig({ consul, prefix, repository: repository.folder });
  const process = await startProcess({ roles: ["mirror"], config });
  const shownAt = await reader.until(shows(repository.first));
  return {
    process,
    reader,
    firstMs: shownAt - process.startedAt,
    async stop() {
      reader.close();
      await process.stop();
    },
  };
}

/** Milliseconds from the branch's move to the marker, for each of so many commits. */
export async function changeTimes(
  { reader }: RunningMirror,
  { repository }: Place,
  change: { readonly changed?: number; readonly deleted?: number },
  rounds: number,
): Promise<number[]> {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const commit = await repository.next(change);
    const movedAt = performance.now();
    await repository.move(commit);
    samples.push((await reader.until(shows(commit))) - movedAt);
  }
  return samples;
}

export interface InPlace {
  /** Milliseconds from the start of the process to its word that everything is there. */
  readonly startMs: number;
  /** CPU milliseconds of that start: on a busy machine they say more than the clock. */
  readonly startCpuMs: number;
  readonly pollCpuMs: number;
  readonly peakMib: number;
}

const POLL_EVERY_MS = 100;
const POLLS = 50;
const STARTS = 5;

/** A mirror that finds everything in place, the median of a few starts; the last of them then only polls. */
export async function inPlace(place: Place, location?: string): Promise<InPlace> {
  const starts: { readonly ms: number; readonly cpuMs: number }[] = [];
  for (let start = 1; ; start++) {
    const process = await startInPlace(place, location);
    try {
      await process.printed.until(/"type":"mirror\.checked"/);
      starts.push({ ms: performance.now() - process.startedAt, cpuMs: process.cpuMs() });
      if (start < STARTS) continue;
      await sleep(1_000);
      const before = process.cpuMs();
      await sleep(POLLS * POLL_EVERY_MS);
      const pollCpuMs = (process.cpuMs() - before) / POLLS;
      const [startMs, startCpuMs] = [
        median(starts.map(({ ms }) => ms)),
        median(starts.map(({ cpuMs }) => cpuMs)),
      ];
      return { startMs, startCpuMs, pollCpuMs, peakMib: process.peakMib() };
    } finally {
      await process.stop();
    }
  }
}

function startInPlace({ consul, prefix, repository }: Place, location?: string): Promise<EngineProcess> {
  const interval = `${POLL_EVERY_MS}ms`;
  const config = mirrorConfig({ consul, prefix, repository: location ?? repository.folder, interval });
  return startProcess({ roles: ["mirror"], config });
}

function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}

function shows(commit: string): (marker: string) => boolean {
  return (marker) => marker.includes(commit) && marker.includes('"state":"synced"');
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
