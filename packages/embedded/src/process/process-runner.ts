import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "@sluice/core";
import { type LedgerEntry, ledger } from "./ledger.ts";
import { bearsMark, groupMembers, processIdentity, signalGroup } from "./process-table.ts";

/** A command to run as a process group of its own. */
export interface LaunchOptions {
  argv: readonly [string, ...string[]];
  /** An existing folder, or the folder of `stdoutFile`, which is created. */
  cwd: string;
  /** The whole environment; nothing of the engine's own is added but the mark `SLUICE_PROCESS`. */
  env: Record<string, string>;
  /** Appended to; its folder is created. */
  stdoutFile: string;
  stderrFile: string;
}

/** How a process ended: exactly one of the two is set. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface LocalProcess {
  pid: number;
  /** Resolves when the first process has ended and whatever it left in its group is stopped. Never rejects. */
  exited: Promise<Exit>;
  /**
   * SIGTERM to the group, SIGKILL to it after `graceMs`; resolves when the whole group is gone. Aborting cuts the grace short.
   * @throws when the group outlives SIGKILL by ten seconds (a process stuck in the kernel).
   */
  stop(graceMs: number, signal?: AbortSignal): Promise<Exit>;
}

export interface ProcessRunner {
  /** @throws an Error naming the command when it cannot be started. */
  launch(options: LaunchOptions): Promise<LocalProcess>;
  /** Stops the groups that an engine killed earlier left running. Runs once; `launch` waits for it. Gives their pids. */
  recover(): Promise<number[]>;
  stopAll(graceMs: number): Promise<void>;
}

export interface ProcessRunnerOptions {
  /** Folder of the ledger (in `processes/`). Engines that share it do not touch each other's live processes. */
  dataDir: string;
  clock: Clock;
}

const MARK = "SLUICE_PROCESS";
const KILL_DEADLINE_MS = 10_000;

/** Runs commands on this machine. @throws when the ledger's folder cannot be created. */
export function processRunner({ dataDir, clock }: ProcessRunnerOptions): ProcessRunner {
  const book = ledger(join(dataDir, "processes"));
  const live = new Set<LocalProcess>();
  let recovery: Promise<number[]> | undefined;

  const recover = () => {
    recovery ??= stopOrphans(book.orphans(), book.remove, clock);
    return recovery;
  };

  return {
    recover,
    async launch(options) {
      await recover();
      const mark = randomUUID();
      const child = start(options, mark);
      const pid = child.pid ?? (await spawnFailure(child, options));
      book.add({ pid, identity: processIdentity(pid) ?? "", mark });
      const one = follow(child, pid, clock);
      live.add(one);
      void one.exited.then(() => {
        live.delete(one);
        book.remove(pid);
      });
      return one;
    },
    async stopAll(graceMs) {
      await Promise.allSettled([...live].map((one) => one.stop(graceMs)));
    },
  };
}

function start(options: LaunchOptions, mark: string): ChildProcess {
  const [command, ...args] = options.argv;
  mkdirSync(dirname(options.stdoutFile), { recursive: true });
  mkdirSync(dirname(options.stderrFile), { recursive: true });
  if (!statSync(options.cwd, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`Cannot run ${command}: the folder ${options.cwd} does not exist`);
  const stdout = openSync(options.stdoutFile, "a");
  const stderr = openSync(options.stderrFile, "a");
  try {
    const env = { ...options.env, [MARK]: mark };
    return spawn(command, args, { cwd: options.cwd, env, detached: true, stdio: ["ignore", stdout, stderr] });
  } finally {
    closeSync(stdout);
    closeSync(stderr);
  }
}

async function spawnFailure(child: ChildProcess, { argv }: LaunchOptions): Promise<never> {
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => child.once("error", resolve));
  const why = error.code === "ENOENT" ? "no such command" : (error.code ?? error.message);
  throw new Error(`Cannot run ${argv[0]}: ${why}`, { cause: error });
}

function follow(child: ChildProcess, pid: number, clock: Clock): LocalProcess {
  let stopping: Promise<void> | undefined;
  const leader = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const ended = leader.then(() => undefined);
  // Mesos destroys the whole container when its command ends; what a command leaves behind goes with it.
  const exited = leader.then(async (exit) => {
    stopping ??= stopGroup(pid, 0, clock);
    await stopping.catch(() => undefined);
    return exit;
  });

  return {
    pid,
    exited,
    async stop(graceMs, signal) {
      stopping ??= stopGroup(pid, graceMs, clock, { ended, signal });
      await stopping;
      return exited;
    },
  };
}

interface StopHints {
  /** Settles when the group's first process ends: the moment to look whether all are gone. */
  ended?: Promise<void>;
  signal?: AbortSignal | undefined;
}

async function stopGroup(group: number, graceMs: number, clock: Clock, hints: StopHints = {}): Promise<void> {
  if ((await groupMembers(group)).length === 0) return;
  if (graceMs > 0) {
    signalGroup(group, "SIGTERM");
    if (await goneWithin(group, graceMs, clock, hints)) return;
  }
  signalGroup(group, "SIGKILL");
  if (await goneWithin(group, KILL_DEADLINE_MS, clock, {})) return;
  throw new Error(`Process group ${group} outlived SIGKILL by ${KILL_DEADLINE_MS / 1000} s`);
}

async function goneWithin(group: number, ms: number, clock: Clock, hints: StopHints): Promise<boolean> {
  const deadline = clock.now() + ms;
  let pause = 2;
  if (hints.ended !== undefined)
    await Promise.race([hints.ended, clock.sleep(Math.min(ms, 25), hints.signal)]);
  for (;;) {
    if ((await groupMembers(group)).length === 0) return true;
    if (clock.now() >= deadline || hints.signal?.aborted) return false;
    await clock.sleep(Math.min(pause, deadline - clock.now()), hints.signal);
    pause = Math.min(pause * 1.5, 100);
  }
}

async function stopOrphans(
  orphans: LedgerEntry[],
  forget: (pid: number) => void,
  clock: Clock,
): Promise<number[]> {
  const stopped = await Promise.all(
    orphans.map(async (entry) => {
      const ours = await stillOurs(entry);
      if (ours) await stopGroup(entry.pid, 1000, clock);
      forget(entry.pid);
      return ours ? [entry.pid] : [];
    }),
  );
  return stopped.flat();
}

/** Whether the group is the one written down: its first process is the same one, or, that being gone, a member bears our mark. */
async function stillOurs(entry: LedgerEntry): Promise<boolean> {
  const identity = processIdentity(entry.pid);
  if (identity !== undefined && identity !== entry.identity) return false;
  const members = await groupMembers(entry.pid);
  if (identity !== undefined && members.includes(entry.pid)) return true;
  const marked = await Promise.all(members.map((pid) => bearsMark(pid, MARK, entry.mark)));
  return marked.includes(true);
}
