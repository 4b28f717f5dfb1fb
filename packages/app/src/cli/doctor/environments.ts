import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { SluiceError, systemClock, type TargetName } from "@sluice/core";
import { schedulerKind } from "@sluice/schedulers";
import type { Config } from "../../config/schema.ts";
import type { EmbeddedAddresses } from "../../engine/embedded.ts";
import { type Environment, environmentsOf } from "../../engine/environment.ts";
import { type Check, said } from "./finding.ts";

/** Deploy repos and targets. Embedded servers are only asked while an engine runs them; real ones always. */
export function environmentChecks(
  config: Config,
  embedded: EmbeddedAddresses,
  running: boolean,
): readonly Check[] {
  const checks: Check[] = [];
  for (const environment of environmentsOf(config, embedded, systemClock, Math.random, schedulerKind)) {
    checks.push(() => sourceReads(environment));
    if (environment.local) checks.push(() => notesWritable(environment));
    for (const [target, { type, addresses }] of Object.entries(environment.config.targets))
      if (addresses || running || type === "swarm") checks.push(() => targetAnswers(environment, target));
  }
  return checks;
}

async function targetAnswers(environment: Environment, target: string) {
  const swarm = environment.config.targets[target]?.type === "swarm";
  const hint = swarm
    ? "Is Docker started as a swarm's manager, and may the engine's user use its socket (group docker)?"
    : "Is it started, and are the target's addresses, files and credentials right?";
  return said(`target ${target} of ${environment.name}`, hint, async () => {
    const scheduler = environment.openSchedulers().get(target as TargetName);
    const jobs = await scheduler?.list({ mark: environment.mark });
    return `${jobs?.length ?? 0} jobs of Sluice's`;
  });
}

async function sourceReads(environment: Environment) {
  const hint = "Check source.repository, and the credentials beside it.";
  return said(`deploy repo of ${environment.name}`, hint, async () => {
    if (environment.hosted && !(await exists(environment.repository)))
      return "the engine makes it when it starts";
    const source = await environment.openSource();
    try {
      const head = await source.head();
      return head
        ? `${source.branch} is at ${head.slice(0, 8)}`
        : `the branch ${source.branch} does not exist yet`;
    } finally {
      await source.close();
    }
  });
}

/** Image versions, rollbacks and notes of deployments are written to the repository itself. */
async function notesWritable({ name, repository, hosted }: Environment) {
  const hint =
    "Give the repository's folder to the engine's user; without it nothing can be committed or noted there.";
  return said(`notes and commits of ${name}`, hint, async () => {
    if (hosted && !(await exists(repository))) return "the engine makes the repository when it starts";
    const inside = (await exists(join(repository, ".git"))) ? join(repository, ".git") : repository;
    for (const folder of [
      inside,
      join(inside, "objects"),
      join(inside, "refs"),
      join(inside, "refs", "notes"),
    ])
      if (!(await writable(folder))) throw new SluiceError("GIT_FAILED", `${folder} cannot be written`);
    return "refs/notes/deployments and the branch can be written";
  });
}

/** A folder that is not there yet is made where it is needed. */
function writable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === "ENOENT",
  );
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
