import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SluiceError, systemClock } from "@sluice/core";
import { execa } from "execa";
import type { RouterConfig } from "../../config/router-schema.ts";
import type { Config } from "../../config/schema.ts";
import { openCi } from "../../engine/build-trigger.ts";
import { routerParts } from "../../engine/router.ts";
import { type Check, PATIENCE_MS, said } from "./finding.ts";

const soon = () => AbortSignal.timeout(PATIENCE_MS);

/** The CI of each app, with its credentials; nothing is built. */
export function buildChecks({ builds }: Config): readonly Check[] {
  const hint = "Check the address, the account and its secret under builds in sluice.yaml.";
  return Object.entries(builds).map(
    ([app, one]) =>
      () =>
        said(`CI of ${app}`, hint, async () => (await openCi(one)).check(soon())),
  );
}

/** The Docker engine whose containers are registered. */
export function registrarChecks({ registrar }: Config): readonly Check[] {
  if (!registrar) return [];
  const { docker: address, ca, cert, key } = registrar;
  const hint = "Is Docker started, and may the engine's user use its socket (group docker)?";
  return [
    () =>
      said(`Docker at ${address}`, hint, async () => {
        const { dockerEngine } = await import("@sluice/registrar");
        const engine = dockerEngine({ address, ca, cert, key, clock: systemClock, random: Math.random });
        return `${(await engine.list(soon())).length} containers run`;
      }),
  ];
}

/** The load balancer: its program, its sockets, and whether it would take what the template makes. */
export function routerChecks({ router }: Config): readonly Check[] {
  if (!router) return [];
  const { balancer } = router;
  const checks: Check[] = [
    () => said("router's template", "Mend router.templateFile, or router.settings.", () => template(router)),
  ];
  if (balancer.type === "commands") return checks;
  const { program, masterSocket, runtimeSocket } = balancer;
  const start = `Start it: haproxy -W -S ${masterSocket} -f ${router.configFile}`;
  checks.push(
    () =>
      said("HAProxy", "Install HAProxy 2.5 or newer, or name it as router.balancer.program.", () =>
        version(program),
      ),
    () => said("HAProxy's master socket", start, () => listens(masterSocket)),
    () =>
      said(
        "HAProxy's runtime socket",
        `${start}, with \`stats socket ${runtimeSocket} level admin\` in it`,
        () => listens(runtimeSocket),
      ),
  );
  return checks;
}

async function version(program: string): Promise<string> {
  const { stdout } = await execa(program, ["-v"], { timeout: PATIENCE_MS }).catch((cause) => {
    throw new SluiceError("BALANCER_FAILED", `${program} cannot be run: ${cause.code ?? cause.exitCode}`);
  });
  return stdout.split("\n", 1)[0] ?? "";
}

/** Rendered for a made-up service, and checked by the balancer itself. */
async function template(router: RouterConfig): Promise<string> {
  const { renderExample } = await import("@sluice/router");
  const { balancer, template: source, settings } = await routerParts(router, systemClock);
  const text = renderExample(source, settings);
  const folder = await mkdtemp(join(tmpdir(), "sluice-doctor-"));
  try {
    const file = join(folder, "example.cfg");
    await writeFile(file, text, { mode: 0o600 });
    const { refusal } = await balancer.check(file, soon());
    if (refusal === undefined) return "it renders, and the load balancer takes it";
    throw new SluiceError("BALANCER_FAILED", `the load balancer refuses what it makes: ${refusal}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function listens(socket: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = createConnection({ path: socket });
    connection.setTimeout(PATIENCE_MS, () => connection.destroy(new Error("no answer")));
    connection.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new SluiceError("BALANCER_FAILED", `nothing listens at ${socket}: ${error.code ?? error.message}`),
      ),
    );
    connection.once("connect", () => {
      connection.destroy();
      resolve(`${socket} answers`);
    });
  });
}
