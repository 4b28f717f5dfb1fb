import { access, constants, mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { messageOf } from "@sluice/core";
import { execa } from "execa";
import type { Config } from "../../config/schema.ts";
import { embeddedNeeds, type Role } from "../../engine/roles.ts";
import type { Check, Finding } from "./finding.ts";

/** With it objects beyond a limit are never inflated, and large repositories are read by one process. */
const GOOD_GIT = [2, 36] as const;

export async function nodeVersion(): Promise<Finding> {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const good = major > 20 || (major === 20 && minor >= 19);
  const hint = "Install Node 20.19 or newer.";
  return { good, text: `Node ${process.versions.node}${good ? "" : ": 20.19 or newer is needed"}`, hint };
}

/** @param program `git`, but for tests. */
export async function gitVersion(program = "git"): Promise<Finding> {
  const hint = "Install git 2.36 or newer, and see that it is on the PATH.";
  try {
    const { stdout } = await execa(program, ["--version"]);
    const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(stdout) ?? [];
    const [wanted, least] = GOOD_GIT;
    const good = Number(major) > wanted || (Number(major) === wanted && Number(minor) >= least);
    return { good, text: good ? stdout : `${stdout}: older than ${wanted}.${least}`, hint };
  } catch {
    return { good: false, text: "git is not on the PATH", hint };
  }
}

export async function dataFolder({ dataDir: folder }: Config): Promise<Finding> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
    return { good: true, text: `data folder ${folder} can be written` };
  } catch (error) {
    const text = `data folder ${folder} cannot be written: ${messageOf(error)}`;
    return { good: false, text, hint: "Give it to the engine's user, or name another as dataDir." };
  }
}

/** Ports an engine here would take, while none runs. */
export function portChecks(config: Config): readonly Check[] {
  const needs = embeddedNeeds(config);
  const ports: [string, number][] = [["Sluice's HTTP server", config.http.port]];
  const embedded: [Role, number][] = [
    ["consul", config.embedded.consulPort],
    ["marathon", config.embedded.marathonPort],
    ["chronos", config.embedded.chronosPort],
  ];
  for (const [role, port] of embedded) if (needs.has(role)) ports.push([`the embedded ${role}`, port]);
  return ports.map(
    ([what, port]) =>
      () =>
        portFree(what, port),
  );
}

function portFree(what: string, port: number): Promise<Finding> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error) =>
      resolve({
        good: false,
        text: `port ${port} for ${what}: ${messageOf(error)}`,
        hint: "Stop what listens there, or set another port in sluice.yaml.",
      }),
    );
    probe.listen(port, "127.0.0.1", () =>
      probe.close(() => resolve({ good: true, text: `port ${port} is free for ${what}` })),
    );
  });
}
