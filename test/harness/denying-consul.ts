import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type RealConsul, startRealConsul } from "../servers/consul.ts";
import { denyAll } from "./acl.ts";
import { freePort } from "./free-port.ts";
import { type RoleProcess, startRoles } from "./role.ts";

/** What the tests of one `describe` share; there once they run. */
export interface DenyingConsul {
  readonly address: string;
  /** For tokens and the like. */
  readonly folder: string;
  /** The embedded Marathon's address, where one was asked for. */
  readonly marathon: string;
  /** Run before Consul ends. */
  readonly toEnd: (() => unknown)[];
}

/** A real Consul that denies by default, started before the tests of this `describe` and stopped after them. */
export function denyingConsul(
  master: string,
  { marathon = false, patienceMs }: { readonly marathon?: boolean; readonly patienceMs?: number } = {},
): DenyingConsul {
  const toEnd: (() => unknown)[] = [];
  const ports = { marathon: 0 };
  let consul: RealConsul;
  let folder: string;
  let embedded: RoleProcess | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "sluice-acl-"));
    const config = denyAll(master, { enable_key_list_policy: true });
    consul = (await startRealConsul({ token: master, config })) as RealConsul;
    if (!marathon) return;
    ports.marathon = await freePort();
    embedded = await startRoles({
      roles: ["marathon"],
      config: {
        consul: { address: consul.address },
        embedded: { marathonPort: ports.marathon },
        environments: { any: { targets: { apps: { type: "marathon" } } } },
      },
    });
  }, patienceMs);
  afterAll(async () => {
    await Promise.all(toEnd.map((end) => end()));
    await embedded?.stop();
    await embedded?.remove();
    await consul?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    toEnd,
    get address() {
      return consul.address;
    },
    get folder() {
      return folder;
    },
    get marathon() {
      return `http://127.0.0.1:${ports.marathon}`;
    },
  };
}
