import { setTimeout as sleep } from "node:timers/promises";
import { type AppLoop, startAppLoop, writeDeployFiles } from "../harness/app-loop.ts";
import { eventually } from "../harness/eventually.ts";
import { ask, type HttpLoad, httpLoad } from "../harness/http-load.ts";
import { percentile, type Report } from "./bench.ts";
import { HOPS, type Sightings, watchHops } from "./loop-hops.ts";

const ROUNDS = 5;
const WARM_UP = 1;
const PATIENCE_MS = 90_000;

/** Releases of an app, one after another, each measured from the start of its push to the first answer of its version. */
export async function measurePushes(report: Report): Promise<void> {
  report.say("starting Consul, the registry, dockerd, HAProxy, the CI and the engine");
  const builds: Record<"begun" | "pushed", number> = { begun: 0, pushed: 0 };
  const loop = await startAppLoop({
    announcedBy: "registry",
    onBuild: (what) => {
      builds[what] = Date.now();
    },
  });
  let load: HttpLoad | undefined;
  try {
    await firstRelease(loop);
    load = httpLoad({ ...loop, clients: 4, pauseMs: 10 });
    const rounds: Sightings[] = [];
    for (let round = 1; round <= ROUNDS + WARM_UP; round++) {
      report.say(`release ${round} of ${ROUNDS + WARM_UP}`);
      const seen = await oneRelease(loop, load, `1.${round}.0`, builds);
      if (round > WARM_UP) rounds.push(seen);
      await settled(loop, `1.${round}.0`);
    }
    addFigures(report, rounds, (await load.stop()).failures.length);
  } finally {
    await load?.stop();
    await loop.stop();
  }
}

async function firstRelease(loop: AppLoop): Promise<void> {
  await loop.release({ version: "1.0.0" });
  const built = async () => (loop.ci.builds[0]?.result === "SUCCESS" ? true : undefined);
  await eventually("the first build", built, PATIENCE_MS);
  await writeDeployFiles(loop, "1.0.0");
  const { code, output } = await loop.deploy.push("the shop");
  if (code !== 0) throw new Error(`the first push ended with ${code}:\n${output}`);
  const answered = async () => ((await ask(loop)).text === "shop 1.0.0" ? true : undefined);
  await eventually("the first answer", answered, PATIENCE_MS);
}

async function oneRelease(
  loop: AppLoop,
  load: HttpLoad,
  version: string,
  builds: Readonly<Record<"begun" | "pushed", number>>,
): Promise<Sightings> {
  const hops = await watchHops(loop);
  try {
    const began = Date.now();
    const { code, output } = await loop.release({ version });
    const returned = Date.now();
    if (code !== 0) throw new Error(`the push ended with ${code}:\n${output}`);
    const heard = () => load.result().heard.get(`shop ${version}`);
    await eventually(`shop ${version}`, async () => heard(), PATIENCE_MS);
    // What is seen by asking again and again may be seen a moment after its effect.
    await eventually("every hop is seen", async () => (hops.complete() ? true : undefined));
    return {
      ...hops.seen(),
      began,
      returned,
      "build begun": builds.begun,
      "image in the registry": builds.pushed,
      "first new answer": heard() ?? 0,
    };
  } finally {
    hops.stop();
  }
}

/** Until nothing of the version before runs: each release begins at rest. */
async function settled({ docker, image }: AppLoop, version: string): Promise<void> {
  const atRest = async () => {
    const containers = await docker.client.listContainers();
    const all = containers.every(({ Image }) => Image === `${image}:${version}`);
    return containers.length === 2 && all ? true : undefined;
  };
  await eventually(`only ${version} runs`, atRest, PATIENCE_MS);
  await sleep(500);
}

function addFigures(report: Report, rounds: readonly Sightings[], failures: number): void {
  const p50 = (of: (one: Sightings) => number) => percentile(rounds.map(of), 0.5);
  const total = p50((one) => one["first new answer"] - one.began);
  const add = (figure: string, value: number, unit: string, target: string | null = null) =>
    report.add({ figure, value, unit, target });
  add("app push → first new answer p50", total, "ms");
  add(
    "app push → first new answer, slowest",
    percentile(
      rounds.map((one) => one["first new answer"] - one.began),
      1,
    ),
    "ms",
  );
  add(
    "git push returned p50",
    p50((one) => one.returned - one.began),
    "ms",
  );
  for (const [at, hop] of HOPS.entries()) {
    const ms = p50((one) => reached(one, at) - reached(one, at - 1));
    add(`hop: ${hop} p50`, ms, "ms");
    add(`share: ${hop}`, (100 * ms) / total, "%");
  }
  add("requests lost", failures, "requests", "<= 0");
}

/** When this hop was over, and all before it: one that is seen by asking may be seen a moment late. */
function reached(one: Sightings, at: number): number {
  return Math.max(one.began, ...HOPS.slice(0, at + 1).map((hop) => one[hop]));
}
