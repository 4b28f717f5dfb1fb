import { randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const CONTROL_GROUPS = "/sys/fs/cgroup";

/** Where a dockerd of ours lives. */
export interface Place {
  readonly folder: string;
  readonly socket: string;
  /** The addresses of the daemon's and of this machine's end of the cable between them. */
  readonly host: string;
  readonly outside: string;
  /** The name of the interface on this side, and of the control group. */
  readonly name: string;
  readonly args: readonly string[];
}

/** A new folder with the daemon's configuration in it. */
export function newPlace(
  more: Readonly<Record<string, unknown>> = {},
  moreArgs: readonly string[] = [],
): Place {
  // A unix socket's path has at most 107 bytes, so not below a long TMPDIR.
  const folder = mkdtempSync("/tmp/sluice-docker-");
  const file = (name: string) => join(folder, name);
  const name = `sd${randomInt(36 ** 6)
    .toString(36)
    .padStart(6, "0")}`;
  const [outside, host] = freeAddresses();
  // With docker-init as process 1, programs that handle no signals end when they are asked to.
  const config = {
    init: true,
    "insecure-registries": ["127.0.0.0/8", "198.18.0.0/15"],
    ...more,
  };
  writeFileSync(file("daemon.json"), JSON.stringify(config));
  mkdirSync(file("tmp"));
  const args = [
    ...["--config-file", file("daemon.json"), "--data-root", file("data"), "--exec-root", file("exec")],
    ...["--pidfile", file("pid"), "--host", `unix://${file("docker.sock")}`, "--cgroup-parent", `/${name}`],
    ...["--shutdown-timeout", "1", ...moreArgs],
  ];
  return { folder, socket: file("docker.sock"), host, outside, name, args };
}

/** A pair of neighbours in the network for tests of equipment (RFC 2544), in no use on this machine. */
function freeAddresses(): [string, string] {
  const used = Object.values(networkInterfaces()).flatMap((one) => (one ?? []).map(({ address }) => address));
  for (;;) {
    const start = `198.${18 + randomInt(2)}.${randomInt(256)}.`;
    const last = randomInt(64) * 4;
    if (!used.includes(`${start}${last + 1}`)) return [`${start}${last + 1}`, `${start}${last + 2}`];
  }
}

/** Removes the folder and the control groups of a daemon that has ended. */
export async function removePlace({ folder, name }: Place): Promise<void> {
  // The kernel takes the namespaces apart a moment after their last process.
  for (let attempt = 0; ; attempt++) {
    try {
      rmSync(folder, { recursive: true, force: true });
      break;
    } catch (error) {
      if (attempt > 100) throw error;
      await sleep(50);
    }
  }
  removeControlGroups(name);
}

function removeControlGroups(name: string): void {
  // Version 1 has a tree for each controller, version 2 only one.
  for (const tree of ["", ...foldersIn(CONTROL_GROUPS)]) removeGroup(join(CONTROL_GROUPS, tree, name));
}

function removeGroup(path: string): void {
  for (const inner of foldersIn(path)) removeGroup(join(path, inner));
  try {
    rmdirSync(path);
  } catch {
    // Not there, or its last process is still being taken away; it is empty and costs nothing.
  }
}

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? one.name : []));
  } catch {
    return [];
  }
}
