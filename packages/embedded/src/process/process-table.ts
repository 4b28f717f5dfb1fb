import { execFile, execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const HAS_PROC = existsSync("/proc/self/stat");

interface Stat {
  state: string;
  group: number;
  /** Clock ticks since the machine started. */
  startTicks: string;
}

/**
 * What tells a process from a later one with the same pid: its start time, with the boot it belongs to.
 * Undefined when no such process exists. On machines without /proc the start time has a resolution of one second.
 */
export function processIdentity(pid: number): string | undefined {
  try {
    if (HAS_PROC) return `${bootId()}:${parseStat(readFileSync(`/proc/${pid}/stat`, "utf8")).startTicks}`;
    const started = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { env: psEnv(), stdio: "pipe" });
    return String(started).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Pids of the processes of a group that still run; the dead that nobody has reaped yet do not count. */
export async function groupMembers(group: number): Promise<number[]> {
  if (!groupAnswers(group)) return [];
  const rows = HAS_PROC ? await procRows() : await psRows();
  return rows.filter((row) => row.group === group && !/^[ZX]/.test(row.state)).map((row) => row.pid);
}

/** Sends a signal to every process of a group. A group that is gone already is fine. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // ESRCH: gone. EPERM: macOS answers so for a group of which only unreaped dead are left.
  }
}

/** Whether a process was started with `name=value` in its environment. False when that cannot be read. */
export async function bearsMark(pid: number, name: string, value: string): Promise<boolean> {
  const mark = `${name}=${value}`;
  try {
    if (HAS_PROC) return (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0").includes(mark);
    const { stdout } = await run("ps", ["-Eww", "-o", "command=", "-p", String(pid)], { env: psEnv() });
    return stdout.includes(mark);
  } catch {
    return false;
  }
}

function groupAnswers(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function procRows(): Promise<{ pid: number; group: number; state: string }[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const rows = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
      return text ? [{ pid: Number(pid), ...parseStat(text) }] : [];
    }),
  );
  return rows.flat();
}

async function psRows(): Promise<{ pid: number; group: number; state: string }[]> {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,pgid=,stat="], {
    env: psEnv(),
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout.split("\n").flatMap((line) => {
    const [pid, group, state] = line.trim().split(/\s+/);
    return state ? [{ pid: Number(pid), group: Number(group), state }] : [];
  });
}

/** Fields of proc_pid_stat(5). The second one, the name, may hold spaces and parentheses, so count from its end. */
function parseStat(text: string): Stat {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", group: Number(fields[2]), startTicks: fields[19] ?? "" };
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** A fixed language: `lstart` is a date spelled in the reader's one. */
function psEnv(): Record<string, string> {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}
