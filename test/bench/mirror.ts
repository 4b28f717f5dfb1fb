import { type Bench, percentile, type Report } from "./bench.ts";
import { breakdown } from "./mirror-breakdown.ts";
import { bundleProgram } from "./mirror-engine.ts";
import { nodeStart, requestEachFloor, smallTransaction, writeFloor } from "./mirror-floor.ts";
import { type Git2Consul, installGit2Consul } from "./mirror-git2consul.ts";
import { changeTimes, firstMirror, inPlace, type Place, type RunningMirror } from "./mirror-measure.ts";
import { mirrorRepository } from "./mirror-repository.ts";
import { type ConsulServer, consulServers } from "./mirror-servers.ts";

const ONE_SERVER = "one Consul server";

/** `sluice up mirror` beside bare transactions and beside git2consul, in the same run on the same servers. */
export const mirrorBench: Bench = {
  name: "mirror",
  about:
    "files of 1 KiB from a local repository into Consul: first mirror, changes, idle polls, memory; --large: 100,000 files too; --only-large: nothing else; --quick: one server, 1,000 files",
  async run(report, flags) {
    await bundleProgram();
    const peer = await installGit2Consul().catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      report.add({ figure: `git2consul is not measured: ${why}`, value: Number.NaN, unit: "", target: null });
      return undefined;
    });
    const node = nodeStart();
    report.add({ figure: "node -e 0", value: node, unit: "ms", target: null });
    try {
      for (const server of consulServers) {
        const single = flags.has("--quick") || flags.has("--only-large");
        if (single && server.name !== ONE_SERVER) continue;
        await onServer(server, { report, node, flags, peer });
      }
    } finally {
      await peer?.remove();
    }
  },
};

interface Run {
  readonly report: Report;
  /** Milliseconds Node takes to start. */
  readonly node: number;
  readonly flags: ReadonlySet<string>;
  readonly peer: Git2Consul | undefined;
}

async function onServer({ name, start }: ConsulServer, run: Run): Promise<void> {
  const server = await start();
  if (!server) return run.report.say(`${name}: not on this machine`);
  try {
    const oneChange = new Map<number, number>();
    for (const files of sizesOn(name, run.flags))
      oneChange.set(files, await ofSize(name, server.address, files, run));
    const sizes = [...oneChange.keys()];
    if (sizes.length > 1) {
      const [least = 0, most = 0] = [Math.min(...sizes), Math.max(...sizes)];
      const value = (oneChange.get(most) as number) / (oneChange.get(least) as number);
      const figure = `${name}: one changed file, ${count(most)} / ${count(least)} files`;
      run.report.add({ figure, value, unit: "x", target: "<= 1.5" });
    }
  } finally {
    await server.stop();
  }
}

function sizesOn(name: string, flags: ReadonlySet<string>): number[] {
  if (flags.has("--only-large")) return [100_000];
  if (flags.has("--quick")) return [1_000];
  if (name !== ONE_SERVER) return [100, 10_000];
  return flags.has("--large") ? [100, 1_000, 10_000, 100_000] : [100, 1_000, 10_000];
}

/** @returns the median of one changed file, in milliseconds. */
async function ofSize(server: string, consul: string, files: number, run: Run): Promise<number> {
  const title = `${server}, ${count(files)} files`;
  const repository = await mirrorRepository(files);
  const add = (figure: string, value: number, unit: string, target: string | null = null) =>
    run.report.add({ figure: `${title}: ${figure}`, value, unit, target });
  try {
    run.report.say(`${title}: first mirror`);
    const place = { consul, prefix: `mirror-${files}`, repository };
    const running = await firstAndFloor(place, files, run.node, add);
    add("CPU of the first mirror", running.process.cpuMs(), "ms");
    try {
      run.report.say(`${title}: changes`);
      const median = await changes(running, place, add);
      add("peak memory of the first mirror and the changes", running.process.peakMib(), "MiB", "<= 300");
      await running.stop();
      run.report.say(`${title}: in place`);
      const { startMs, startCpuMs, pollCpuMs, peakMib } = await inPlace(place);
      add("start with everything in place", startMs, "ms", files === 10_000 ? "<= 250" : null);
      add("CPU of that start", startCpuMs, "ms");
      add("peak memory of that start", peakMib, "MiB", "<= 300");
      add("CPU of an idle poll", pollCpuMs, "ms", "<= 10");
      run.report.say(`${title}: where the time of one change goes`);
      for (const [part, ms] of await breakdown(place)) add(`one changed file, ${part}`, ms, "ms");
      if (run.peer) await beside(run.peer, place, { first: running.firstMs, oneChange: median }, add);
      return median;
    } finally {
      await running.stop();
    }
  } finally {
    await clean(consul, `mirror-${files}`);
    await repository.remove();
  }
}

type Add = (figure: string, value: number, unit: string, target?: string | null) => void;

/** As many as Consul and its own loop can bear: beyond 200 Consul closes the connections, and it dies without a word. */
const GIT2CONSUL_SOCKETS = 32;

/** Rounds alternate, so that what else the machine does falls on both; the best of each counts. */
async function firstAndFloor(place: Place, files: number, node: number, add: Add): Promise<RunningMirror> {
  const rounds = files > 10_000 ? 2 : 5;
  const floors: Record<1 | 4, number[]> = { 1: [], 4: [] };
  const firsts: number[] = [];
  let running: RunningMirror | undefined;
  for (let round = 0; round < rounds; round++) {
    for (const inFlight of [1, 4] as const) {
      const prefix = `${place.prefix}/floor`;
      floors[inFlight].push(await writeFloor(place.consul, prefix, files, inFlight));
      await clean(place.consul, place.prefix);
    }
    running = await firstMirror(place);
    firsts.push(running.firstMs);
    if (round === rounds - 1) break;
    await running.stop();
    await clean(place.consul, place.prefix);
  }
  // Beside the running mirror, whose keys it does not touch.
  const each = await requestEachFloor(place.consul, `${place.prefix}-each`, files, GIT2CONSUL_SOCKETS);
  await clean(place.consul, `${place.prefix}-each`);
  const [one, four] = [percentile(floors[1], 0.5), percentile(floors[4], 0.5)];
  const first = percentile(firsts, 0.5);
  add("bare transactions, one at a time", one, "ms");
  add("bare transactions, four at a time", four, "ms");
  add("a request for each file, 32 at a time, as git2consul writes", each, "ms");
  add("first mirror from process start", first, "ms");
  add("(a request for each file + node) / first mirror", (each + node) / first, "x");
  add("first mirror / (bare transactions one at a time + node)", first / (one + node), "x", "<= 1.3");
  add("first mirror / (bare transactions four at a time + node)", first / (four + node), "x", null);
  return running as RunningMirror;
}

async function changes(running: RunningMirror, place: Place, add: Add): Promise<number> {
  await changeTimes(running, place, { changed: 1 }, 5);
  const one = await changeTimes(running, place, { changed: 1 }, 30);
  add("one changed file p50", percentile(one, 0.5), "ms", "<= 25");
  add("one changed file p99", percentile(one, 0.99), "ms");
  add("of it, one small transaction", await smallTransaction(place.consul, place.prefix), "ms");
  const hundred = place.repository && (await changeTimes(running, place, { changed: 100 }, 5));
  add("100 changed files p50", percentile(hundred, 0.5), "ms");
  const deleted = await changeTimes(running, place, { deleted: 10 }, 5);
  add("10 deleted files p50", percentile(deleted, 0.5), "ms");
  return percentile(one, 0.5);
}

async function beside(
  peer: Git2Consul,
  place: Place,
  ours: { readonly first: number; readonly oneChange: number },
  add: Add,
): Promise<void> {
  try {
    const theirs = await peer.measure(place.consul, `${place.prefix}-peer`, place.repository);
    add("git2consul: first mirror", theirs.first, "ms");
    add("git2consul: one changed file", theirs.oneChange, "ms");
    add("first mirror, git2consul / ours", theirs.first / ours.first, "x");
    add("one changed file, git2consul / ours", theirs.oneChange / ours.oneChange, "x");
  } catch (error) {
    add(`git2consul is not measured: ${error instanceof Error ? error.message : error}`, Number.NaN, "");
  }
  await clean(place.consul, `${place.prefix}-peer`);
}

async function clean(consul: string, prefix: string): Promise<void> {
  const answer = await fetch(`${consul}/v1/kv/${prefix}/?recurse`, { method: "DELETE" });
  await answer.text();
}

function count(files: number): string {
  return files.toLocaleString("en-US");
}
