import { startRealConsul } from "../servers/consul.ts";
import { type Bench, percentile, type Report } from "./bench.ts";
import { type DeployingEngine, deployingEngine, ownerOf } from "./deployer-engine.ts";
import { bareWrites } from "./deployer-floor.ts";
import { type JobRepository, jobRepository } from "./deployer-jobs.ts";
import { simulatedMarathon } from "./deployer-marathon.ts";
import { type CountingProxy, countingProxy } from "./deployer-proxy.ts";

const SIZES = [100, 500, 1_000, 10_000];
const IN_FLIGHT = 8;

/** `sluice up` beside the bare writes of the same apps, in the same run. */
export const deployerBench: Bench = {
  name: "deployer",
  about:
    "a push of 100 to 10,000 Marathon apps that are healthy at once, until all are applied, beside the bare writes; one changed job; a drift round; --consul: a real Consul in place of the embedded one; --quick: up to 1,000; --only-large: nothing but 10,000",
  async run(report, flags) {
    const consul = flags.has("--consul") ? await startRealConsul() : undefined;
    if (flags.has("--consul") && !consul) return report.say("there is no Consul on this machine");
    const sizes = sizesFor(flags);
    try {
      const perJob = new Map<number, number>();
      for (const jobs of sizes) perJob.set(jobs, await ofSize(jobs, consul?.address, report));
      if (sizes.length < 2) return;
      const [least = 0, most = 0] = [Math.min(...sizes), Math.max(...sizes)];
      report.add({
        figure: `milliseconds per job, ${count(most)} / ${count(500)} jobs`,
        value: (perJob.get(most) ?? 0) / (perJob.get(500) ?? 0),
        unit: "x",
        target: "<= 1.5",
      });
      report.add({
        figure: `milliseconds per job, ${count(most)} / ${count(least)} jobs`,
        value: (perJob.get(most) ?? 0) / (perJob.get(least) ?? 0),
        unit: "x",
        target: null,
      });
    } finally {
      await consul?.stop();
    }
  },
};

function sizesFor(flags: ReadonlySet<string>): readonly number[] {
  if (flags.has("--only-large")) return SIZES.slice(-1);
  return flags.has("--quick") ? SIZES.slice(0, -1) : SIZES;
}

interface Stage {
  readonly jobs: number;
  readonly consul: string | undefined;
  add(figure: string, value: number, unit: string, target?: string | null): void;
}

/** @returns milliseconds per job of the first rollout. */
async function ofSize(jobs: number, consul: string | undefined, report: Report): Promise<number> {
  const add: Stage["add"] = (figure, value, unit, target = null) =>
    report.add({ figure: `${count(jobs)} jobs: ${figure}`, value, unit, target });
  const stage = { jobs, consul, add };
  const floors: number[] = [];
  const rollouts: Rollout[] = [];
  for (let round = 0; round < (jobs > 1_000 ? 2 : 5); round++) {
    report.say(`${count(jobs)} jobs, round ${round + 1}`);
    floors.push(await floor(jobs));
    rollouts.push(await rollout(stage, `deployer-${jobs}-${round}`));
  }
  const best = rollouts.reduce((one, other) => (other.ms < one.ms ? other : one));
  const bare = Math.min(...floors);
  add("push to all applied and healthy", best.ms, "ms");
  add("the bare writes alone", bare, "ms");
  add("push to all applied / the bare writes", best.ms / bare, "x", "<= 1.5");
  add("CPU of the engine", best.cpuMs / 1_000, "s");
  add("CPU of the engine per job", best.cpuMs / jobs, "ms");
  add("peak memory of the engine", Math.max(...rollouts.map((one) => one.peakMib)), "MiB");
  if (jobs >= 10_000) {
    report.say(`${count(jobs)} jobs, changes and rounds`);
    await inPlace(stage);
  }
  return best.ms / jobs;
}

async function floor(jobs: number): Promise<number> {
  const marathon = await simulatedMarathon();
  try {
    return await bareWrites(marathon.address, { jobs, inFlight: IN_FLIGHT, owner: ownerOf("deployer") });
  } finally {
    await marathon.stop();
  }
}

interface Rollout {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakMib: number;
}

/** An engine that has deployed one job gets all the others with one push. */
async function rollout({ jobs, consul }: Stage, prefix: string): Promise<Rollout> {
  return withMarathon(jobs, async (marathon, repository, all) => {
    const one = repository.commit([0], 0);
    await repository.push(one);
    const options = { repository: repository.folder, marathon, concurrency: IN_FLIGHT, consul, prefix };
    const engine = await deployingEngine(options);
    try {
      await engine.deployed(one);
      const commit = repository.commit(all, 0);
      const [since, cpuMs] = [performance.now(), engine.process.cpuMs()];
      await repository.push(commit);
      const ms = (await engine.deployed(commit)) - since;
      return { ms, cpuMs: engine.process.cpuMs() - cpuMs, peakMib: engine.process.peakMib() };
    } finally {
      await engine.stop();
    }
  });
}

async function withMarathon<T>(
  jobs: number,
  work: (marathon: string, repository: JobRepository, all: readonly number[]) => Promise<T>,
): Promise<T> {
  const repository = await jobRepository();
  const marathon = await simulatedMarathon();
  try {
    return await work(marathon.address, repository, [...Array(jobs).keys()]);
  } finally {
    await marathon.stop();
    await repository.remove();
  }
}

const CHANGES = 30;
const DRIFT_ROUNDS = 10;

/** One changed job among all, and rounds over jobs that are all as they should be. */
async function inPlace({ jobs, consul, add }: Stage): Promise<void> {
  await withMarathon(jobs, async (marathon, repository, all) => {
    const proxy = await countingProxy(marathon);
    const first = repository.commit(all, 0);
    await repository.push(first);
    const options = {
      repository: repository.folder,
      marathon: proxy.address,
      concurrency: IN_FLIGHT,
      consul,
    };
    try {
      const engine = await deployingEngine({ ...options, prefix: "deployer-changes" });
      try {
        await engine.deployed(first);
        await oneChange(engine, proxy, repository, add);
      } finally {
        await engine.stop();
      }
      const rounds = await deployingEngine({ ...options, prefix: "deployer-changes", driftInterval: "2s" });
      try {
        await driftRounds(rounds, proxy, add);
      } finally {
        await rounds.stop();
      }
    } finally {
      await proxy.stop();
    }
  });
}

async function oneChange(
  engine: DeployingEngine,
  proxy: CountingProxy,
  repository: JobRepository,
  add: Stage["add"],
): Promise<void> {
  const samples: number[] = [];
  const healthy: number[] = [];
  for (let round = 1; round <= CHANGES; round++) {
    const commit = repository.commit([round * 7], round);
    const written = proxy.nextWrite();
    const since = performance.now();
    await repository.push(commit);
    samples.push((await written) - since);
    healthy.push((await engine.deployed(commit)) - since);
  }
  add("one changed job, push to the write's arrival p50", percentile(samples, 0.5), "ms");
  add("one changed job, push to the write's arrival p99", percentile(samples, 0.99), "ms");
  add("one changed job, push to healthy p50", percentile(healthy, 0.5), "ms");
}

/** The engine starts with everything in place, and then only compares. */
async function driftRounds(engine: DeployingEngine, proxy: CountingProxy, add: Stage["add"]): Promise<void> {
  await untilLists(proxy, proxy.lists + 2);
  const before = {
    cpuMs: engine.process.cpuMs(),
    bytes: proxy.bytes,
    lists: proxy.lists,
    writes: proxy.writes,
  };
  await untilLists(proxy, before.lists + DRIFT_ROUNDS);
  const rounds = proxy.lists - before.lists;
  add("CPU of a drift round", (engine.process.cpuMs() - before.cpuMs) / rounds, "ms");
  add("bytes a drift round reads", (proxy.bytes - before.bytes) / rounds / 1024, "KiB");
  add("writes of all drift rounds", proxy.writes - before.writes, "", "<= 0");
}

async function untilLists(proxy: CountingProxy, lists: number): Promise<void> {
  for (const until = performance.now() + 600_000; proxy.lists < lists; ) {
    if (performance.now() > until) throw new Error("the drift rounds do not come");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function count(jobs: number): string {
  return jobs.toLocaleString("en-US");
}
