import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.ts";
import { endLeftTasks } from "./left-tasks.ts";

/** The `sluice` command of this checkout. */
export const BIN = fileURLToPath(new URL("../../packages/app/bin/sluice.cjs", import.meta.url));
const START_MS = 30_000;

/** What a command printed and how it ended. */
export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

/** An engine in a process of its own, as a user starts it. */
export interface TestEngine {
  readonly folder: string;
  readonly address: string;
  readonly repositoryUrl: string;
  /** The embedded Marathon's address. */
  readonly marathon: string;
  readonly pid: number;
  /** Runs a `sluice` command against this engine. */
  sluice(...args: string[]): Promise<Ran>;
  /** Everything the engine has printed so far. */
  output(): string;
  /** Ctrl-C; resolves with the exit code. Safe to call twice. */
  stop(): Promise<number | null>;
  /** kill -9, then starts again on the same data. */
  crash(): Promise<TestEngine>;
}

export interface TestEngineOptions {
  /** The folder of an earlier engine. */
  readonly folder?: string;
  /** A real Consul's address, in place of the embedded one. */
  readonly consul?: string;
  /** The environment's targets, in place of the embedded ones. */
  readonly targets?: object;
  /** Further settings of sluice.yaml. */
  readonly settings?: object;
}

export const COMMAND_ENV = { ...process.env, NO_COLOR: "1", SLUICE_SERVER: "" };

/** Runs `sluice` with these words. */
export function sluice(
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  return run(process.execPath, [BIN, ...args], { ...options, env: { ...COMMAND_ENV, ...options.env } });
}

/** Runs a program to its end; stdout and stderr come as one text. */
export function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}

/** `sluice up` on free ports, with everything embedded unless a Consul is given. */
export async function startEngine(options: TestEngineOptions = {}): Promise<TestEngine> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "sluice-engine-")));
  const [consulPort, marathonPort, chronosPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const config = {
    http: { port: 0 },
    embedded: { consulPort, marathonPort, chronosPort },
    lock: { ttl: "10s", delay: "1s" },
    ...(options.consul ? { consul: { address: options.consul } } : {}),
    ...(options.targets ? { environments: { production: { targets: options.targets } } } : {}),
    ...options.settings,
  };
  await writeFile(join(folder, "sluice.yaml"), JSON.stringify(config));
  const child = spawn(process.execPath, [BIN, "up"], {
    cwd: folder,
    env: COMMAND_ENV,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed = collect(child);
  const found = await printed.until(/hooks at (http:\S+)[\s\S]*git clone (http:\S+)/);
  const [, address = "", repositoryUrl = ""] = found;
  return engineOf(
    child,
    { folder, address, repositoryUrl, marathon: `http://127.0.0.1:${marathonPort}`, output: printed.text },
    options,
  );
}

type Facts = Pick<TestEngine, "folder" | "address" | "repositoryUrl" | "marathon" | "output">;

function engineOf(child: ChildProcess, facts: Facts, options: TestEngineOptions): TestEngine {
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    ...facts,
    pid: child.pid ?? 0,
    sluice: (...args) => sluice(args, { env: { SLUICE_SERVER: facts.address } }),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGINT");
      return ended;
    },
    async crash() {
      child.kill("SIGKILL");
      await ended;
      return startEngine({ ...options, folder: facts.folder });
    },
  };
}

/** What a process prints, and a wait for a part of it. */
export interface Printed {
  readonly text: () => string;
  /** @throws with all that was printed when the process ends first, or the deadline passes. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
}

export function collect(child: ChildProcess): Printed {
  let text = "";
  let notify: () => void = () => undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      notify();
    });
  }
  return {
    text: () => text,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const give = (reason: string) => reject(new Error(`${reason}; it printed:\n${text}`));
        const timer = setTimeout(() => give(`the engine was not up within ${START_MS} ms`), START_MS);
        child.once("close", (code) => give(`the engine ended with ${code}`));
        notify = () => {
          const found = pattern.exec(text);
          if (!found) return;
          clearTimeout(timer);
          resolve(found);
        };
        notify();
      }),
  };
}

/** Stops the engine and removes its folder. */
export async function removeEngine(engine: TestEngine): Promise<void> {
  await engine.stop();
  await endLeftTasks(engine.folder);
  await rm(engine.folder, { recursive: true, force: true });
}
