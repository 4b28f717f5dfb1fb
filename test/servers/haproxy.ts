import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../harness/eventually.ts";

const PROGRAM = "/usr/sbin/haproxy";

/** Whether the real HAProxy is on this machine. */
export function hasHaproxy(): boolean {
  return existsSync(PROGRAM);
}

/** A real HAProxy in master-worker mode, with a folder for its file and sockets. */
export interface TestHaproxy {
  readonly program: string;
  readonly folder: string;
  /** Its configuration file. */
  readonly file: string;
  readonly master: string;
  readonly runtime: string;
  /** Starts it on the file as it is. */
  start(): Promise<void>;
  /** What it printed. */
  output(): string;
  /** The ids of its processes that take new connections. */
  worker(): Promise<number>;
  stop(): Promise<void>;
}

/** Makes the folder with a file that serves nothing, and starts it. */
export async function startHaproxy(): Promise<TestHaproxy> {
  const folder = await mkdtemp(join(tmpdir(), "haproxy-"));
  const [file, master, runtime] = ["haproxy.cfg", "master.sock", "runtime.sock"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  await writeFile(
    file,
    `global\n  stats socket ${runtime} mode 600 level admin\ndefaults\n  timeout client 1s\n`,
  );
  let child: ChildProcess | undefined;
  let printed = "";
  async function end() {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    const late = setTimeout(() => child?.kill("SIGKILL"), 5_000);
    await exit;
    clearTimeout(late);
  }
  const haproxy: TestHaproxy = {
    program: PROGRAM,
    folder,
    file,
    master,
    runtime,
    async start() {
      await end();
      child = spawn(PROGRAM, ["-W", "-S", master, "-f", file], { stdio: ["ignore", "pipe", "pipe"] });
      for (const stream of [child.stdout, child.stderr])
        stream?.setEncoding("utf8").on("data", (text: string) => {
          printed = (printed + text).slice(-20_000);
        });
      await eventually("HAProxy's socket", async () => (existsSync(runtime) ? true : undefined));
    },
    output: () => printed,
    worker: () => workerOf(runtime),
    async stop() {
      await end();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await haproxy.start();
  return haproxy;
}

async function workerOf(runtime: string): Promise<number> {
  const { createConnection } = await import("node:net");
  const socket = createConnection({ path: runtime });
  socket.end("show info\n");
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return Number(/^Pid: (\d+)$/m.exec(text)?.[1]);
}
