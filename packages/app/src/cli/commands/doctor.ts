import { loadConfig } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { GLYPH } from "../../text/glyphs.ts";
import { type CliContext, type ExitCode, type ServerOptions, serverAddress } from "../context.ts";
import { consulChecks } from "../doctor/consul.ts";
import { environmentChecks } from "../doctor/environments.ts";
import type { Check, Finding } from "../doctor/finding.ts";
import { dataFolder, gitVersion, nodeVersion, portChecks } from "../doctor/machine.ts";
import { secretFileChecks } from "../doctor/secret-files.ts";
import { buildChecks, registrarChecks, routerChecks } from "../doctor/services.ts";

export interface DoctorOptions extends ServerOptions {
  readonly config?: string;
}

/** `sluice doctor`: looks at everything an engine here needs, and says what to mend. 1 where something is wrong. */
export async function doctor(options: DoctorOptions, context: CliContext): Promise<ExitCode> {
  const { config } = loadConfig(options.config, context.cwd);
  const { answer, engine } = await engineAnswers(serverAddress(options, context));
  context.out(`${answer ? GLYPH.done : GLYPH.wait} ${engine}\n`);
  let good = true;
  for (const check of checksOf(config, answer)) {
    const finding = await check();
    good &&= finding.good;
    context.out(linesOf(finding));
  }
  return good ? 0 : 1;
}

function checksOf(config: Config, running: boolean): readonly Check[] {
  const { consulPort, marathonPort, chronosPort } = config.embedded;
  const address = (port: number) => `http://127.0.0.1:${port}`;
  const embedded = {
    consul: address(consulPort),
    marathon: address(marathonPort),
    chronos: address(chronosPort),
  };
  return [
    nodeVersion,
    () => gitVersion(),
    () => dataFolder(config),
    ...(running ? [] : portChecks(config)),
    ...secretFileChecks(config),
    ...(config.consul || running ? consulChecks(config, embedded.consul) : []),
    ...environmentChecks(config, embedded, running),
    ...buildChecks(config),
    ...registrarChecks(config),
    ...routerChecks(config),
  ];
}

function linesOf({ good, text, hint }: Finding): string {
  if (good) return `${GLYPH.done} ${text}\n`;
  return `${GLYPH.fail} ${text}\n${hint ? `    ${hint}\n` : ""}`;
}

async function engineAnswers(address: string): Promise<{ answer: boolean; engine: string }> {
  const answer = await fetch(`${address}/readyz`, { signal: AbortSignal.timeout(3_000) }).catch(
    () => undefined,
  );
  if (!answer)
    return { answer: false, engine: `no engine answers at ${address} (start one with \`sluice up\`)` };
  const said = (await answer.json().catch(() => undefined)) as { message?: string } | undefined;
  const state = answer.ok ? "ready" : `not ready: ${said?.message ?? `status ${answer.status}`}`;
  return { answer: true, engine: `an engine answers at ${address}: ${state}` };
}
