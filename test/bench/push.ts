import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedMarathon } from "@sluice/embedded";
import { gitHttpBackend, initBareRepository } from "@sluice/git";
import { cloneDeployRepo, type DeployClone } from "../harness/deploy-clone.ts";
import { removeEngine, run, startEngine } from "../harness/engine.ts";
import { type Bench, percentile, type Report } from "./bench.ts";
import { type AppEvents, appEvents } from "./marathon-events.ts";

const PUSHES = 50;
const WARM_UP = 3;

/** From the start of `git push` to the scheduler's receipt of the write and to "healthy" in the push's own output. */
export const pushBench: Bench = {
  name: "push",
  about: `git push of one changed job over HTTP, ${PUSHES} times each beside 10 and 5,000 other jobs, in turn; all embedded`,
  async run(report) {
    const stages: Stage[] = [];
    try {
      stages.push(await stage("10 jobs", 10, "simulated", report));
      stages.push(await stage("5,000 jobs", 5_000, "simulated", report));
      stages.push(await stage("10 jobs, real processes", 10, "process", report));
      const starts = await measureAll(stages, report);
      for (const one of stages) addFigures(one, report);
      const [small, large] = stages.map((one) => percentile(one.receipt, 0.5)) as [number, number];
      report.add({
        figure: "to receipt p50, 5,000 jobs / 10 jobs",
        value: large / small,
        unit: "x",
        target: "<= 1.5",
      });
      report.add({
        figure: "one start of Node p50",
        value: percentile(starts, 0.5),
        unit: "ms",
        target: null,
      });
    } finally {
      for (const one of stages) await one.close();
    }
  },
};

function addFigures({ title, execution, receipt, healthy, floor }: Stage, report: Report): void {
  const target = execution === "simulated" ? "<= 150" : null;
  const add = (what: string, samples: number[], share: number, bound: string | null) =>
    report.add({
      figure: `${title}: to ${what} p${share * 100}`,
      value: percentile(samples, share),
      unit: "ms",
      target: bound,
    });
  add("receipt", receipt, 0.5, target);
  add("receipt", receipt, 0.99, null);
  add("healthy", healthy, 0.5, null);
  add("healthy", healthy, 0.99, null);
  report.add({
    figure: `${title}: git push alone, no hooks p50`,
    value: percentile(floor, 0.5),
    unit: "ms",
    target: null,
  });
}

/** An engine with a deploy repo of some size, ready to be pushed to. */
interface Stage {
  readonly title: string;
  readonly execution: "process" | "simulated";
  readonly clone: DeployClone;
  readonly events: AppEvents;
  readonly receipt: number[];
  readonly healthy: number[];
  /** The same commits to a repository of the same size without hooks. */
  readonly floor: number[];
  readonly plain: PlainServer;
  close(): Promise<void>;
}

async function stage(
  title: string,
  others: number,
  execution: Stage["execution"],
  report: Report,
): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  const marathon = await embeddedMarathon({ dataDir: join(folder, "marathon"), execution });
  const targets = { apps: { type: "marathon", addresses: [marathon.address], concurrency: 16 } };
  const engine = await startEngine({ targets });
  const clone = await cloneDeployRepo(engine.repositoryUrl);
  const events = await appEvents(marathon.address);
  report.say(`${title} (${execution}): first push`);
  await firstPush(clone, others, execution);
  const plain = await plainServer(clone, folder);
  return {
    title,
    execution,
    clone,
    events,
    receipt: [],
    healthy: [],
    floor: [],
    plain,
    async close() {
      await plain.stop();
      events.stop();
      await clone.cleanUp();
      await removeEngine(engine);
      await marathon.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Takes the stages in turn, so that a noisy moment of the machine is noise for all of them; beside each push the same commit
 * goes to a repository without hooks. @returns the milliseconds of one start of Node, which a push makes twice.
 */
async function measureAll(stages: readonly Stage[], report: Report): Promise<number[]> {
  const starts: number[] = [];
  for (let round = 0; round < PUSHES + WARM_UP; round++) {
    if (round % 10 === 0) report.say(`round ${round} of ${PUSHES + WARM_UP}`);
    for (const one of stages) {
      const { receipt, healthy } = await timedPush(one, round);
      const plain = await timed(() => one.clone.git("push", "--quiet", one.plain.url, "main"));
      if (round < WARM_UP) continue;
      one.receipt.push(receipt);
      one.healthy.push(healthy);
      one.floor.push(plain);
    }
    const start = await timed(() => run(process.execPath, ["-e", "0"]));
    if (round >= WARM_UP) starts.push(start);
  }
  return starts;
}

/** The same server side without Sluice: `git http-backend` on a bare repository. */
interface PlainServer {
  readonly url: string;
  stop(): Promise<void>;
}

async function plainServer(clone: DeployClone, folder: string): Promise<PlainServer> {
  const bare = join(folder, "plain.git");
  await initBareRepository(bare, { defaultBranch: "main" });
  const serve = gitHttpBackend({ repositories: { plain: bare } });
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/plain.git`;
  await clone.git("push", "--quiet", url, "main");
  return { url, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}

function job(id: string, round: number, execution: "process" | "simulated"): string {
  const check =
    "healthChecks: [{ protocol: HTTP, path: /, portIndex: 0, gracePeriodSeconds: 30, intervalSeconds: 2, timeoutSeconds: 2 }]\n";
  const cmd =
    execution === "process"
      ? `exec node -e 'require("http").createServer((q, s) => s.end("ok")).listen(process.env.PORT0)'`
      : "sleep 100000";
  return `id: /${id}\ncmd: ${cmd}\ncpus: 0.1\nmem: 16\nenv: { ROUND: "${round}" }\n${execution === "process" ? check : ""}`;
}

async function firstPush(
  clone: DeployClone,
  others: number,
  execution: "process" | "simulated",
): Promise<void> {
  await mkdir(join(clone.folder, "apps"));
  for (let number = 0; number < others; number++)
    await clone.write(`apps/other-${number}.yaml`, job(`other-${number}`, 0, "simulated"));
  await clone.write("apps/changed.yaml", job("changed", 0, execution));
  const { code, output } = await clone.push("everything");
  if (code !== 0 || !output.includes(`${others + 1} of ${others + 1} jobs healthy`))
    throw new Error(`the first push failed:\n${output.slice(-2_000)}`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function timedPush({ clone, execution, events }: Stage, round: number) {
  await clone.write("apps/changed.yaml", job("changed", round + 1, execution));
  await clone.git("commit", "--quiet", "--all", "--message", `round ${round + 1}`);
  const received = events.next("/changed");
  const start = Date.now();
  const pushing = spawn("git", ["-C", clone.folder, "push", "origin", "main"], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, GIT_TERMINAL_PROMPT: "0" },
  });
  let text = "";
  let healthy = Number.NaN;
  pushing.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (Number.isNaN(healthy) && text.includes("✔ apps/changed healthy")) healthy = Date.now() - start;
  });
  const code = await new Promise((resolve) => pushing.once("close", resolve));
  if (code !== 0 || Number.isNaN(healthy)) throw new Error(`push ${round + 1} ended with ${code}:\n${text}`);
  return { receipt: (await received) - start, healthy };
}
