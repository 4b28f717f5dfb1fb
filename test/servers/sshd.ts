import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const SSHD = "/usr/sbin/sshd";
const DEADLINE_MS = 10_000;

/** Whether this machine has an sshd and an ssh (test/servers/install brings them). */
export function hasSshd(): boolean {
  return existsSync(SSHD) && existsSync("/usr/bin/ssh");
}

export interface TestSshd {
  readonly port: number;
  /** The URL of a folder of this machine. */
  urlOf(folder: string): string;
  /** A key that is let in, and one that is not. */
  readonly key: string;
  readonly strangersKey: string;
  /** Knows the server, and knows another key for it. */
  readonly knownHosts: string;
  readonly wrongHosts: string;
  stop(): Promise<void>;
}

/**
 * A real sshd of our own on loopback, with keys of its own. Its folder's name is awkward on purpose: blanks, quotes and percent
 * signs are what a shell or ssh would trip over.
 */
export async function testSshd(): Promise<TestSshd> {
  const folder = mkdtempSync(join(tmpdir(), "sluice sshd' %h-"));
  chmodSync(folder, 0o700);
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
  const file = (name: string) => join(folder, name);
  for (const name of ["host", "other-host", "key", "stranger"])
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", file(name)]);
  const port = await freePort();
  const publicKey = (name: string) => readFileSync(file(`${name}.pub`), "utf8");
  writeFileSync(file("known"), `[127.0.0.1]:${port} ${publicKey("host")}`);
  writeFileSync(file("wrong"), `[127.0.0.1]:${port} ${publicKey("other-host")}`);
  const settings = {
    Port: port,
    ListenAddress: "127.0.0.1",
    HostKey: JSON.stringify(file("host")),
    PidFile: "none",
    AuthorizedKeysFile: "/dev/null",
    StrictModes: "no",
    UsePAM: "no",
    PasswordAuthentication: "no",
    PermitRootLogin: "yes",
    AcceptEnv: "GIT_PROTOCOL",
  };
  // sshd replaces percent signs in this file's name, so it stands where there are none.
  const authorized = mkdtempSync(join(tmpdir(), "sluice-authorized-"));
  writeFileSync(join(authorized, "keys"), publicKey("key"));
  const lines = Object.entries({ ...settings, AuthorizedKeysFile: join(authorized, "keys") });
  writeFileSync(file("config"), lines.map(([name, value]) => `${name} ${value}\n`).join(""));
  const child = spawn(SSHD, ["-D", "-e", "-f", file("config")], { stdio: ["ignore", "ignore", "pipe"] });
  await listening(child, port);
  return {
    port,
    urlOf: (path) => `ssh://${userInfo().username}@127.0.0.1:${port}${path}`,
    key: file("key"),
    strangersKey: file("stranger"),
    knownHosts: file("known"),
    wrongHosts: file("wrong"),
    async stop() {
      const ended = new Promise((resolve) => child.once("close", resolve));
      child.kill("SIGTERM");
      if (child.exitCode === null && child.signalCode === null) await ended;
      for (const one of [folder, authorized]) rmSync(one, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

async function listening(child: ChildProcess, port: number): Promise<void> {
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const until = Date.now() + DEADLINE_MS;
  while (Date.now() < until && child.exitCode === null) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
    if (open) return;
    await sleep(20);
  }
  child.kill("SIGKILL");
  throw new Error(`sshd did not start: ${said}`);
}
