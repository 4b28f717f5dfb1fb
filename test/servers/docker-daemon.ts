import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type Docker from "dockerode";
import type { Place } from "./docker-place.ts";

const SCRIPT = fileURLToPath(new URL("./docker-namespace", import.meta.url));
/** Where programs are looked for: a user's PATH may lack the folders of root's programs. */
export const SEARCH_PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
const DEADLINE_MS = 30_000;

/** A dockerd and all that runs below it. */
export interface Running {
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

/** Starts the place's dockerd and waits until it answers. @throws with its last words. */
export async function launch(place: Place, client: Docker): Promise<Running> {
  // Process numbers in them are of the last process namespace, and may be somebody else's in the next one.
  for (const one of ["pid", "exec"]) rmSync(join(place.folder, one), { recursive: true, force: true });
  const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const inside = [SCRIPT, `${place.host}/30`, ...place.args];
  const env = {
    ...process.env,
    TMPDIR: join(place.folder, "tmp"),
    PATH: SEARCH_PATH,
  };
  const child = spawn("unshare", [...namespaces, ...inside], {
    stdio: ["pipe", "pipe", "pipe"],
    env,
  });
  const closed = once(child, "close");
  const said = tail(child);
  const running = {
    end: (signal: "SIGTERM" | "SIGKILL") => endOf(child, closed, signal).then(() => disconnect(place)),
  };
  try {
    await connectTo(child, place);
    await answering(child, client);
    return running;
  } catch (cause) {
    await running.end("SIGKILL");
    throw new Error(`dockerd did not start: ${said()}`, { cause });
  }
}

/** A cable between this network and the daemon's; it goes when the daemon's network goes. */
async function connectTo(child: ChildProcess, { name, outside }: Place): Promise<void> {
  const pid = String(child.pid);
  await until(child, async () => networkOf(pid) !== networkOf("self"));
  const ip = (...args: string[]) => execFileSync("ip", args, { stdio: "pipe" });
  ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", pid);
  ip("addr", "add", `${outside}/30`, "dev", name);
  ip("link", "set", name, "up");
}

/** The kernel would take it away too, but only a moment later. */
function disconnect({ name }: Place): void {
  try {
    execFileSync("ip", ["link", "delete", name], { stdio: "ignore" });
  } catch {
    // It is gone already.
  }
}

function networkOf(pid: string): string {
  return readlinkSync(`/proc/${pid}/ns/net`);
}

function answering(child: ChildProcess, client: Docker): Promise<void> {
  return until(child, () =>
    client.ping().then(
      () => true,
      () => false,
    ),
  );
}

async function until(child: ChildProcess, ask: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await ask())) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error("it ended");
    if (Date.now() > deadline) throw new Error(`not ready within ${DEADLINE_MS} ms`);
    await sleep(20);
  }
}

/** With SIGKILL the process namespace ends at once; SIGTERM goes to the script in it, which passes it on. */
async function endOf(
  child: ChildProcess,
  closed: Promise<unknown>,
  signal: "SIGTERM" | "SIGKILL",
): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    if (signal === "SIGTERM") process.kill(firstChildOf(child), signal);
    else child.kill(signal);
  }
  await closed;
}

function firstChildOf({ pid }: ChildProcess): number {
  return Number(execFileSync("pgrep", ["-P", String(pid)], { encoding: "utf8" }).split("\n")[0]);
}

function tail(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => (text = (text + chunk.toString()).slice(-4_000)));
  return () => text;
}
