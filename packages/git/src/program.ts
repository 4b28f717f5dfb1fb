import { type ChildProcess, spawn } from "node:child_process";
import { type Clock, redact, SluiceError } from "@sluice/core";
import { PLAIN_SSH_COMMAND } from "./remote/ssh-command.ts";

export interface GitProgram {
  /** The program's name or path. */
  readonly git: string;
  /** How long one command may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
}

/** How long a command that was told to end may take before it is made to, in milliseconds. */
const KILL_AFTER_MS = 1000;

/** What git may see of our environment: how to find programs, proxies, keys and certificates, and nothing else. */
const PASSED_ON =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|LD_LIBRARY_PATH|SYSTEMROOT|SSH_AUTH_SOCK|SSL_CERT_(FILE|DIR)|GIT_(SSH|SSH_COMMAND|SSH_VARIANT|SSL_CAINFO|SSL_CAPATH|SSL_CERT|SSL_KEY|EXEC_PATH|CONFIG_GLOBAL))$|^(https?|all|no)_proxy$/i;

/** An environment in which git asks nobody, reads no configuration but the repository's, and speaks English. */
export function gitEnvironment(from: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const passed = Object.fromEntries(Object.entries(from).filter(([name]) => PASSED_ON.test(name)));
  return {
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_SSH_COMMAND: PLAIN_SSH_COMMAND,
    ...passed,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "true",
    GIT_OPTIONAL_LOCKS: "0",
    // Transports that run programs named in a URL (`ext::`) stay off.
    GIT_ALLOW_PROTOCOL: "http:https:ssh:git:file",
    LC_ALL: "C",
  };
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly secrets?: readonly string[];
  /** In place of the program's. */
  readonly timeoutMs?: number;
  /** Told what git says of its progress, as it comes. */
  readonly heard?: (stderr: string) => void;
  /** Told once the program runs: there is one. */
  readonly started?: () => void;
  readonly signal?: AbortSignal;
}

/**
 * Runs one git command and returns what it wrote.
 * @throws GIT_FAILED with git's own last words, credentials taken out; GIT_MISSING where there is no such program.
 */
export async function runGit(
  program: GitProgram,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { signal, secrets, timeoutMs = program.timeoutMs } = options;
  signal?.throwIfAborted();
  const end = await runToEnd({ ...program, timeoutMs }, args, options);
  if (end.code === 0) return end.stdout.trimEnd();
  signal?.throwIfAborted();
  if (end.missing) throw new SluiceError("GIT_MISSING", `there is no program "${program.git}"`);
  const command = args.find((arg) => /^[a-z]/.test(arg) && !arg.includes("=")) ?? "";
  const why = end.timedOut
    ? `took longer than ${timeoutMs} ms`
    : `failed: ${lastWords(end.stderr) || `it ended with ${end.code}`}`;
  throw new SluiceError("GIT_FAILED", redact(`git ${command} ${why}`, secrets));
}

interface End {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly missing: boolean;
  readonly timedOut: boolean;
}

async function runToEnd(
  { git, clock, timeoutMs, ...program }: GitProgram,
  args: readonly string[],
  options: RunOptions,
): Promise<End> {
  const { signal, heard, started } = options;
  const child = spawnGroup(git, args, { ...program.env, ...options.env });
  if (started) child.on("spawn", started);
  const stdout: Buffer[] = [];
  let stderr = "";
  let missing = false;
  let timedOut = false;
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => {
    const text = chunk.toString("utf8");
    stderr = (stderr + text).slice(-4000);
    heard?.(text);
  });
  const over = new AbortController();
  const closed = new Promise<number | string | null>((resolve) => {
    child.on("error", (error: NodeJS.ErrnoException) => {
      missing = error.code === "ENOENT";
      stderr = error.message;
      resolve(null);
    });
    child.on("close", (code, killed) => resolve(killed ?? code));
  });
  const until = AbortSignal.any(signal ? [signal, over.signal] : [over.signal]);
  const deadline = clock.sleep(timeoutMs, until).then(async () => {
    if (over.signal.aborted) return;
    timedOut = !signal?.aborted;
    endGroup(child, "SIGTERM");
    await clock.sleep(KILL_AFTER_MS, over.signal);
    if (!over.signal.aborted) endGroup(child, "SIGKILL");
  });
  const code = await closed;
  over.abort();
  await deadline;
  return { code, stdout: Buffer.concat(stdout).toString("utf8"), stderr, missing, timedOut };
}

/** A group of its own: the programs git starts for a remote must end with it, or its pipes would stay open. */
function spawnGroup(git: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  return spawn(git, args, { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
}

/** Ends a process that was started as the leader of a group, with all it started. */
export function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}

/** The program's version as a number, 2.39.5 as 239; undefined where it cannot be run. */
export async function gitVersion(
  program: GitProgram,
  options: Pick<RunOptions, "started" | "signal"> = {},
): Promise<number | undefined> {
  const said = await runGit(program, ["--version"], options).catch(() => undefined);
  if (said === undefined) return undefined;
  const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(said) ?? [];
  return Number(major) * 100 + Number(minor);
}

const PROGRESS = /^(remote: )?[\w ]+: +(\d+% |\d+[,.)])/;

/** What git said last, without what it said of its progress. */
function lastWords(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).filter((line) => line.trim() !== "" && !PROGRESS.test(line));
  return lines.slice(-4).join("; ").slice(-600);
}
