import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { SluiceError, systemClock } from "@sluice/core";
import { execa } from "execa";
import { type Config, configSchema } from "../../config/schema.ts";
import { logSink } from "../../engine/log.ts";
import { chooseRoles } from "../../engine/roles.ts";
import { type Engine, startEngine } from "../../engine/start.ts";
import { count } from "../../text/events.ts";
import { GLYPH } from "../../text/glyphs.ts";
import { type EngineClient, engineClient } from "../client.ts";
import type { CliContext, ExitCode } from "../context.ts";
import { reportDone, shopAnswer } from "./demo-shop.ts";
import { runUntilStopped } from "./up.ts";

export interface DemoOptions {
  readonly once?: boolean;
  readonly port: string;
  readonly data?: string;
}

const EXAMPLE = fileURLToPath(new URL("../../../../../deploy-repo-example", import.meta.url));

/** Commits of the demo are nobody's: they must not depend on, or show, who the machine's user is. */
const GIT_ENV = {
  GIT_AUTHOR_NAME: "Sluice demo",
  GIT_AUTHOR_EMAIL: "demo@sluice.invalid",
  GIT_COMMITTER_NAME: "Sluice demo",
  GIT_COMMITTER_EMAIL: "demo@sluice.invalid",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
};

/** `sluice demo`: everything in one process on loopback, and a real push of the example shop. */
export async function demo(options: DemoOptions, context: CliContext): Promise<ExitCode> {
  const port = portOf(options);
  await requireGit();
  const folder = options.data
    ? resolve(context.cwd, options.data)
    : await mkdtemp(join(tmpdir(), "sluice-demo-"));
  const config = demoConfig(join(folder, "engine"), port);
  try {
    const engine = await startEngine({
      config,
      roles: chooseRoles([], config),
      log: await logSink("none", process.stdout),
      clock: systemClock,
      random: Math.random,
    });
    return await show(engine, { folder, options, context });
  } finally {
    if (!options.data) await rm(folder, { recursive: true, force: true });
  }
}

interface Stage {
  readonly folder: string;
  readonly options: DemoOptions;
  readonly context: CliContext;
}

async function show(engine: Engine, stage: Stage): Promise<ExitCode> {
  const { context, options } = stage;
  const { address = "", repositoryUrl = "" } = engine;
  let exit: ExitCode = 1;
  try {
    context.out(
      `${GLYPH.done} Consul, Marathon, Chronos, the mirror, the deployer and the API run at ${address}\n`,
    );
    await push(repositoryUrl, stage);
    const summary = await outcome(engineClient({ server: address }, context), engine);
    exit = summary.good ? 0 : 1;
    for (const line of summary.work) context.out(`${line}\n`);
    if (options.once) context.out(`${summary.last}\n`);
    else if (exit === 0) context.out(`${summary.last}\n${nextSteps(address, repositoryUrl)}`);
  } catch (error) {
    for (const failure of await engine.stop()) context.err(`${GLYPH.fail} ${failure}\n`);
    if (context.signal.aborted) return 0;
    throw error;
  }
  if (!options.once && exit === 0) return runUntilStopped(engine, context);
  for (const failure of await engine.stop()) context.err(`${GLYPH.fail} ${failure}\n`);
  return exit;
}

function demoConfig(dataDir: string, port: number): Config {
  const next = (offset: number) => (port === 0 ? 0 : port + offset);
  return configSchema.parse({
    dataDir,
    http: { port },
    embedded: { consulPort: next(1), marathonPort: next(2), chronosPort: next(3) },
  });
}

function portOf({ port }: DemoOptions): number {
  const number = Number(port);
  if (Number.isInteger(number) && number >= 0 && number <= 65_532) return number;
  throw new SluiceError("USAGE", `--port is a number from 0 to 65532, not "${port}"`);
}

async function requireGit(): Promise<void> {
  await execa("git", ["--version"]).catch((cause: unknown) => {
    throw new SluiceError("GIT_MISSING", "the demo pushes with git, and no git program was found", { cause });
  });
}

/** Makes a clone with the example's files and pushes it, letting git itself tell how it goes. */
async function push(url: string, { folder, context }: Stage): Promise<void> {
  const clone = join(folder, "deploy");
  const git = (...args: string[]) =>
    execa("git", ["-C", clone, ...args], { env: GIT_ENV, cancelSignal: context.signal });
  await execa("git", ["clone", "--quiet", "--", url, clone], { env: GIT_ENV, cancelSignal: context.signal });
  await cp(EXAMPLE, clone, { recursive: true });
  await git("checkout", "--quiet", "-B", "main");
  await git("add", "--all");
  const { stdout } = await git("status", "--porcelain");
  if (stdout)
    await git("commit", "--quiet", "--message", "The shop: a web app, its catalogue and a nightly report");
  context.out(`${GLYPH.begin} git push ${url} main\n`);
  const pushing = execa("git", ["-C", clone, "push", "origin", "main"], {
    env: GIT_ENV,
    all: true,
    buffer: false,
    reject: false,
    cancelSignal: context.signal,
  });
  for await (const line of pushing.iterable({ from: "all" })) context.out(`  ${String(line).trimEnd()}\n`);
  const { exitCode } = await pushing;
  if (exitCode !== 0) throw new SluiceError("GIT_FAILED", `git push ended with ${exitCode ?? "a signal"}`);
}

interface StatusAnswer {
  readonly marker?: { readonly revision: string };
  readonly jobs: readonly { readonly key: string; readonly sync?: string; readonly health?: string }[];
}

async function outcome(
  client: EngineClient,
  { embedded }: Engine,
): Promise<{ good: boolean; work: string[]; last: string }> {
  const { marker, jobs } = await client.get<StatusAnswer>("/api/v1/environments/production");
  const healthy = jobs.filter((one) => one.sync === "Synced" && one.health === "Healthy").length;
  const work = [await shopAnswer(embedded.marathon), await reportDone(embedded.chronos)];
  const good = jobs.length > 0 && healthy === jobs.length && work.every((one) => one.good);
  const glyph = good ? GLYPH.done : GLYPH.fail;
  const last = `${glyph} ${marker?.revision ?? "no revision"}: ${healthy} of ${count(jobs.length, "job")} healthy`;
  return { good, work: work.map((one) => `${one.good ? GLYPH.done : GLYPH.fail} ${one.text}`), last };
}

function nextSteps(address: string, repositoryUrl: string): string {
  const server = address.endsWith(":7420") ? "" : ` --server ${address}`;
  return [
    "",
    "Try next, in another terminal, from this folder:",
    `  npx sluice status${server}`,
    `  git clone ${repositoryUrl} && cd deploy`,
    "  $EDITOR apps/shop/web.yaml          # say, instances: 2",
    "  git commit -am 'two web servers' && git push",
    "",
    "Ctrl-C stops everything.",
    "",
  ].join("\n");
}
