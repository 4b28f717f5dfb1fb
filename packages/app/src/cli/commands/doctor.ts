import { access, constants, mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { consulKv } from "@sluice/consul";
import { messageOf, systemClock } from "@sluice/core";
import { schedulerKind } from "@sluice/schedulers";
import { execa } from "execa";
import { loadConfig } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { type Environment, environmentsOf, readSecret } from "../../engine/environment.ts";
import { embeddedNeeds, type Role } from "../../engine/roles.ts";
import { GLYPH } from "../../text/glyphs.ts";
import { type CliContext, type ExitCode, type ServerOptions, serverAddress } from "../context.ts";

export interface DoctorOptions extends ServerOptions {
  readonly config?: string;
}

interface Finding {
  readonly good: boolean;
  readonly text: string;
}

/** `sluice doctor`: looks at everything an engine here needs, and says what to mend. 1 where something is wrong. */
export async function doctor(options: DoctorOptions, context: CliContext): Promise<ExitCode> {
  const { config } = loadConfig(options.config, context.cwd);
  const running = await engineAnswers(serverAddress(options, context));
  const checks = [
    nodeVersion,
    git,
    () => dataDir(config),
    () => Promise.resolve(running),
    ...(running.good ? [] : portChecks(config)),
  ];
  checks.push(...serverChecks(config, running.good));
  let good = true;
  for (const check of checks) {
    const finding = await check();
    if (finding !== running) good &&= finding.good;
    context.out(
      `${finding.good ? GLYPH.done : finding === running ? GLYPH.wait : GLYPH.fail} ${finding.text}\n`,
    );
  }
  return good ? 0 : 1;
}

async function nodeVersion(): Promise<Finding> {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const good = major > 20 || (major === 20 && minor >= 19);
  return { good, text: `Node ${process.versions.node}${good ? "" : ": 20.19 or newer is needed"}` };
}

async function git(): Promise<Finding> {
  try {
    return { good: true, text: (await execa("git", ["--version"])).stdout };
  } catch {
    return { good: false, text: "git is not on the PATH: install it" };
  }
}

async function dataDir({ dataDir: folder }: Config): Promise<Finding> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
    return { good: true, text: `data folder ${folder} can be written` };
  } catch (error) {
    return { good: false, text: `data folder ${folder} cannot be written: ${messageOf(error)}` };
  }
}

async function engineAnswers(address: string): Promise<Finding> {
  const answer = await fetch(`${address}/readyz`, { signal: AbortSignal.timeout(3_000) }).catch(
    () => undefined,
  );
  if (!answer) return { good: false, text: `no engine answers at ${address} (start one with \`sluice up\`)` };
  return { good: true, text: `an engine answers at ${address}: ${answer.ok ? "ready" : "not ready"}` };
}

function portChecks(config: Config): (() => Promise<Finding>)[] {
  const needs = embeddedNeeds(config);
  const ports: [string, number][] = [["Sluice's HTTP server", config.http.port]];
  const embedded: [Role, number][] = [
    ["consul", config.embedded.consulPort],
    ["marathon", config.embedded.marathonPort],
    ["chronos", config.embedded.chronosPort],
  ];
  for (const [role, port] of embedded) if (needs.has(role)) ports.push([`the embedded ${role}`, port]);
  return ports.map(
    ([what, port]) =>
      () =>
        portFree(what, port),
  );
}

function portFree(what: string, port: number): Promise<Finding> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error) =>
      resolve({ good: false, text: `port ${port} for ${what}: ${messageOf(error)}` }),
    );
    probe.listen(port, "127.0.0.1", () =>
      probe.close(() => resolve({ good: true, text: `port ${port} is free for ${what}` })),
    );
  });
}

/** Embedded servers are only asked while an engine runs them; real ones always. */
function serverChecks(config: Config, running: boolean): (() => Promise<Finding>)[] {
  const { consulPort, marathonPort, chronosPort } = config.embedded;
  const address = (port: number) => `http://127.0.0.1:${port}`;
  const embedded = {
    consul: address(consulPort),
    marathon: address(marathonPort),
    chronos: address(chronosPort),
  };
  const checks: (() => Promise<Finding>)[] = [];
  if (config.consul || running) checks.push(() => consulAnswers(config, embedded.consul));
  for (const environment of environmentsOf(config, embedded, systemClock, Math.random, schedulerKind)) {
    checks.push(() => sourceReads(environment));
    const schedulers = environment.openSchedulers();
    for (const [name, scheduler] of schedulers) {
      if (!environment.config.targets[name]?.addresses && !running) continue;
      checks.push(() =>
        said(
          `target ${name} of ${environment.name}`,
          async () => `${(await scheduler.list({ mark: environment.mark })).length} jobs of Sluice's`,
        ),
      );
    }
  }
  return checks;
}

async function consulAnswers(config: Config, embedded: string): Promise<Finding> {
  const token = config.consul?.tokenFile ? { token: readSecret(config.consul.tokenFile) } : {};
  const kv = consulKv({
    address: config.consul?.address ?? embedded,
    clock: systemClock,
    random: Math.random,
    ...token,
  });
  return said("Consul", async () => {
    await kv.get(`${config.prefix}/doctor`);
    return "answers";
  }).finally(() => kv.close());
}

async function sourceReads(environment: Environment): Promise<Finding> {
  return said(`deploy repo of ${environment.name}`, async () => {
    if (environment.hosted && !(await exists(environment.repository)))
      return "the engine makes it when it starts";
    const source = await environment.openSource();
    try {
      const head = await source.head();
      return head
        ? `${source.branch} is at ${head.slice(0, 8)}`
        : `the branch ${source.branch} does not exist yet`;
    } finally {
      await source.close();
    }
  });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function said(what: string, work: () => Promise<string>): Promise<Finding> {
  try {
    return { good: true, text: `${what}: ${await work()}` };
  } catch (error) {
    return { good: false, text: `${what}: ${messageOf(error)}` };
  }
}
