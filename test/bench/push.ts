import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedMarathon } from "@sluice/embedded";
import { cloneDeployRepo, type DeployClone } from "../harness/deploy-clone.ts";
import { removeEngine, startEngine } from "../harness/engine.ts";
import { type Bench, percentile, type Report } from "./bench.ts";
import { appEvents } from "./marathon-events.ts";

const PUSHES = 50;
const WARM_UP = 3;

/** From the start of `git push` to the scheduler's receipt of the write and to "healthy" in the push's own output. */
export const pushBench: Bench = {
  name: "push",
  about: `git push of one changed job over HTTP, ${PUSHES} times, beside 10 and 5,000 other jobs; all embedded, tasks simulated`,
  async run(report) {
    const small = await measure(10, report);
    const large = await measure(5_000, report);
    const real = await measure(10, report, "process");
    for (const [title, one] of [
      ["10 jobs", small],
      ["5,000 jobs", large],
      ["10 jobs, real processes", real],
    ] as const) {
      const target = title === "10 jobs, real processes" ? null : "<= 150";
      report.add({
        figure: `${title}: to receipt p50`,
        value: percentile(one.receipt, 0.5),
        unit: "ms",
        target,
      });
      report.add({
        figure: `${title}: to receipt p99`,
        value: percentile(one.receipt, 0.99),
        unit: "ms",
        target: null,
      });
      report.add({
        figure: `${title}: to healthy p50`,
        value: percentile(one.healthy, 0.5),
        unit: "ms",
        target: null,
      });
      report.add({
        figure: `${title}: to healthy p99`,
        value: percentile(one.healthy, 0.99),
        unit: "ms",
        target: null,
      });
      report.add({
        figure: `${title}: of it, git push to a bare repo without hooks p50`,
        value: percentile(one.floor, 0.5),
        unit: "ms",
        target: null,
      });
    }
    const ratio = percentile(large.receipt, 0.5) / percentile(small.receipt, 0.5);
    report.add({ figure: "to receipt p50, 5,000 jobs / 10 jobs", value: ratio, unit: "x", target: "<= 1.5" });
  },
};

interface Samples {
  readonly receipt: number[];
  readonly healthy: number[];
  readonly floor: number[];
}

async function measure(
  others: number,
  report: Report,
  execution: "process" | "simulated" = "simulated",
): Promise<Samples> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  const marathon = await embeddedMarathon({ dataDir: join(folder, "marathon"), execution });
  const engine = await startEngine({
    targets: { apps: { type: "marathon", addresses: [marathon.address], concurrency: 16 } },
  });
  const clone = await cloneDeployRepo(engine.repositoryUrl);
  const events = await appEvents(marathon.address);
  try {
    report.say(`${others} other jobs (${execution}): first push`);
    await firstPush(clone, others, execution);
    const bare = await plainRepository(clone, folder);
    const samples: Samples = { receipt: [], healthy: [], floor: [] };
    for (let round = 0; round < PUSHES + WARM_UP; round++) {
      const one = await timedPush(clone, round, execution, events);
      const floor = await timed(() => clone.git("push", "--quiet", bare, "main"));
      if (round < WARM_UP) continue;
      samples.receipt.push(one.receipt);
      samples.healthy.push(one.healthy);
      samples.floor.push(floor);
    }
    return samples;
  } finally {
    events.stop();
    await clone.cleanUp();
    await removeEngine(engine);
    await marathon.stop();
    await rm(folder, { recursive: true, force: true });
  }
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

async function plainRepository(clone: DeployClone, folder: string): Promise<string> {
  const bare = join(folder, "plain.git");
  await clone.git("init", "--quiet", "--bare", bare);
  await clone.git("push", "--quiet", bare, "main");
  return bare;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function timedPush(
  clone: DeployClone,
  round: number,
  execution: "process" | "simulated",
  events: Awaited<ReturnType<typeof appEvents>>,
) {
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
