import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BIN, COMMAND_ENV, collect } from "./engine.ts";
import { eventually } from "./eventually.ts";
import { endLeftTasks } from "./left-tasks.ts";

/** Some roles of an engine in a process of their own: `sluice up mirror`. */
export interface RoleProcess {
  readonly folder: string;
  readonly pid: number;
  /** Everything it has printed so far. */
  output(): string;
  /** Waits until it has printed this so many times. */
  printed(pattern: RegExp, options?: { times?: number; deadlineMs?: number }): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
  /** kill -9. */
  kill(): Promise<void>;
  /** Ctrl-C; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** Ends it, however it stands, and removes its folder. */
  remove(): Promise<void>;
}

export interface RoleProcessOptions {
  readonly roles: readonly string[];
  /** What its `sluice.yaml` says; `dataDir` is a folder of its own. */
  readonly config: object;
}

/** Long, for machines that run many things at once; what is waited for mostly comes in a second. */
const PATIENCE_MS = 45_000;

/** Starts the roles; resolves once they run. */
export async function startRoles({ roles, config }: RoleProcessOptions): Promise<RoleProcess> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-roles-"));
  await writeFile(join(folder, "sluice.yaml"), JSON.stringify(config));
  const child = spawn(process.execPath, [BIN, "up", ...roles], {
    cwd: folder,
    env: COMMAND_ENV,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed = collect(child);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const end = (signal: "SIGINT" | "SIGKILL") => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return ended;
  };
  const role: RoleProcess = {
    folder,
    pid: child.pid ?? 0,
    output: printed.text,
    async printed(pattern, { times = 1, deadlineMs = PATIENCE_MS } = {}) {
      const every = new RegExp(pattern.source, "g");
      const ask = async () => ((printed.text().match(every) ?? []).length >= times ? true : undefined);
      await eventually(`${roles.join(", ")} prints ${pattern} ${times} times`, ask, deadlineMs).catch(
        (cause) => {
          throw new Error(`it printed:\n${printed.text()}`, { cause });
        },
      );
    },
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    kill: async () => void (await end("SIGKILL")),
    stop: () => end("SIGINT"),
    async remove() {
      await end("SIGKILL");
      await endLeftTasks(folder);
      await rm(folder, { recursive: true, force: true });
    },
  };
  await printed.until(/✔ running /).catch(async (error: unknown) => {
    await role.remove();
    throw error;
  });
  return role;
}
