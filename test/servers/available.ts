import { spawnSync } from "node:child_process";
import { describe } from "vitest";

/** Whether the real Consul's binary is on the PATH. */
export function hasConsul(): boolean {
  return runs("consul", "version");
}

/** Whether `openssl` is on the PATH, to make certificates with. */
export function hasOpenssl(): boolean {
  return runs("openssl", "version");
}

/**
 * `describe` where the server is available, else a skip that names what is missing. The one place where a test may
 * be skipped: `test/servers/install` puts the servers on the machine.
 *
 * @param name what the group of tests is about.
 * @param available server name → whether it is on this machine, for example `{ consul: hasConsul() }`.
 */
export function describeWithServer(name: string, available: Record<string, boolean>, body: () => void): void {
  const missing = Object.keys(available).filter((server) => !available[server]);
  if (missing.length === 0) {
    describe(name, body);
    return;
  }
  const reason = `SKIPPED, not on this machine: ${missing.join(", ")} (run test/servers/install)`;
  console.warn(`${name}: ${reason}`);
  describe.skip(`${name} [${reason}]`, body);
}

function runs(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore", timeout: 10_000 }).status === 0;
}
