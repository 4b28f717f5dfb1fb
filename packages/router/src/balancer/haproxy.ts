import { readFile } from "node:fs/promises";
import { type Clock, SluiceError } from "@sluice/core";
import type { Backend } from "../render.ts";
import type { Slot } from "../slots.ts";
import type { Balancer, RunningSlot } from "./balancer.ts";
import { askSocket } from "./command-socket.ts";
import { runProgram } from "./program.ts";
import { readServerStates } from "./server-states.ts";

export interface HaproxyOptions {
  /** The program: `haproxy`. */
  readonly program: string;
  /** The master's socket (`-W -S PATH`). */
  readonly master: string;
  /** The workers' socket (`stats socket PATH level admin`). */
  readonly runtime: string;
  readonly clock: Clock;
  /** How long a worker may take to begin after a reload, in milliseconds; 15 seconds where absent. */
  readonly reloadMs?: number;
}

/** The variable of the environment by which a running worker tells the structure of its configuration. */
export const STRUCTURE_VARIABLE = "SLUICE_CONFIG";

const RELOAD_MS = 15_000;
const LOOK_MS = 50;
/** Commands in one exchange: a line is limited to `tune.bufsize`, 16 KiB. */
const AT_ONCE = 60;

/** HAProxy 2.5 and newer in master-worker mode. */
export function haproxy(options: HaproxyOptions): Balancer {
  const { program, master, runtime, clock, reloadMs = RELOAD_MS } = options;

  async function structure(signal: AbortSignal): Promise<string | undefined> {
    const answer = await askSocket(runtime, `show env ${STRUCTURE_VARIABLE}`, signal);
    return new RegExp(`^${STRUCTURE_VARIABLE}=(\\S+)$`, "m").exec(answer)?.[1];
  }

  const states = (signal: AbortSignal) =>
    askSocket(runtime, "show servers state", signal).then(readServerStates);

  return {
    async check(file, signal) {
      if (!(await readFile(file, "utf8")).includes(`setenv ${STRUCTURE_VARIABLE} `))
        return { refusal: `the template lacks the line: setenv ${STRUCTURE_VARIABLE} "{{ config }}"` };
      const { code, output } = await runProgram(program, ["-c", "-f", file], signal);
      return { refusal: code === 0 ? undefined : alerts(output) };
    },
    async reload(wanted, signal) {
      await askSocket(master, "reload", signal).catch(ignoreClosed);
      // Before 2.7 the master answers nothing: the new worker tells by itself that it works.
      for (const until = clock.now() + reloadMs; clock.now() < until; await clock.sleep(LOOK_MS, signal)) {
        signal.throwIfAborted();
        if ((await structure(signal).catch(() => undefined)) === wanted) return;
      }
      throw new SluiceError(
        "BALANCER_FAILED",
        `HAProxy does not work by its new file after ${reloadMs / 1000} s`,
      );
    },
    async loaded(signal) {
      try {
        return { structure: await structure(signal) };
      } catch {
        signal.throwIfAborted();
        return undefined;
      }
    },
    async applyServers(backends, signal) {
      const before = await states(signal);
      const commands = backends.flatMap(({ route, slots }) =>
        commandsFor(route.name, slots, before.get(route.name)),
      );
      for (let from = 0; from < commands.length; from += AT_ONCE)
        await askSocket(runtime, commands.slice(from, from + AT_ONCE).join("; "), signal);
      if (commands.length > 0) await verify(backends, await states(signal));
      return new Set(commands.map((command) => command.split(" ")[2])).size;
    },
    readServers: states,
  };
}

/** The master closes the connection while it starts anew. */
function ignoreClosed(error: unknown): void {
  if (!/ECONNRESET|EPIPE/.test(String(error))) throw error;
}

/** What brings one backend's slots from how they are to how they are to be. @throws BALANCER_FAILED where one is not there. */
function commandsFor(
  backend: string,
  slots: readonly Slot[],
  running: readonly RunningSlot[] = [],
): readonly string[] {
  const now = new Map(running.map((slot) => [slot.name, slot]));
  return slots.flatMap((slot) => {
    const at = `${backend}/${slot.name}`;
    const is = now.get(slot.name);
    if (!is) throw new SluiceError("BALANCER_FAILED", `HAProxy has no server ${at}`);
    const { server } = slot;
    if (!server) return is.state === "maint" ? [] : [`set server ${at} state maint`];
    const moved = is.address !== server.address || is.port !== server.port;
    const state = slot.draining ? "drain" : "ready";
    return [
      ...(moved ? [`set server ${at} addr ${server.address} port ${server.port}`] : []),
      ...(is.weight === server.weight ? [] : [`set server ${at} weight ${server.weight}`]),
      ...(is.state === state ? [] : [`set server ${at} state ${state}`]),
    ];
  });
}

async function verify(
  backends: readonly Backend[],
  now: ReadonlyMap<string, readonly RunningSlot[]>,
): Promise<void> {
  for (const { route, slots } of backends) {
    const [wrong] = commandsFor(route.name, slots, now.get(route.name));
    if (wrong) throw new SluiceError("BALANCER_FAILED", `HAProxy did not take "${wrong}"`);
  }
}

/** The lines of a refusal that say why; without times and paths of temporary files. */
function alerts(output: string): string {
  const lines = output.split("\n").filter((line) => /\[(ALERT|WARNING)\]|error/i.test(line));
  return (lines.length > 0 ? lines : output.split("\n")).slice(0, 5).join("; ").slice(0, 1_000);
}
