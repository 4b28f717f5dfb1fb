import { systemClock } from "@sluice/core";
import { loadConfig } from "../../config/load.ts";
import { type LogFormat, logSink } from "../../engine/log.ts";
import { chooseRoles } from "../../engine/roles.ts";
import { type Engine, startEngine } from "../../engine/start.ts";
import { GLYPH } from "../../text/glyphs.ts";
import type { CliContext, ExitCode } from "../context.ts";

export interface UpOptions {
  readonly config?: string;
  readonly log: LogFormat;
}

/** `sluice up [ROLE…]`: runs until it is told to stop. */
export async function up(
  names: readonly string[],
  options: UpOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { config } = loadConfig(options.config, context.cwd);
  const roles = chooseRoles(names, config);
  const engine = await startEngine({
    config,
    roles,
    log: await logSink(options.log, process.stdout),
    clock: systemClock,
    random: Math.random,
  });
  if (options.log === "text") {
    context.out(`${GLYPH.done} running ${[...roles].join(", ")}\n`);
    if (engine.address) context.out(`${GLYPH.done} API, metrics and hooks at ${engine.address}\n`);
    if (engine.repositoryUrl) context.out(`${GLYPH.begin} deploy with: git clone ${engine.repositoryUrl}\n`);
  }
  return runUntilStopped(engine, context);
}

/** Waits for the signal, or for a service that died, then stops everything. */
export async function runUntilStopped(engine: Engine, context: CliContext): Promise<ExitCode> {
  const told = new Promise<void>((resolve) => {
    if (context.signal.aborted) resolve();
    context.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  try {
    await Promise.race([told, engine.failed]);
  } finally {
    for (const failure of await engine.stop()) context.err(`${GLYPH.fail} ${failure}\n`);
  }
  return 0;
}
