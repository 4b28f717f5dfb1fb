import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Clock,
  type EnvName,
  envName,
  type JobFormat,
  type KvLayout,
  kvLayout,
  type Random,
  type Scheduler,
  type Source,
  type TargetName,
  targetName,
} from "@sluice/core";
import { gitSource } from "@sluice/git";
import type { SchedulerKind, schedulerKind } from "@sluice/schedulers";
import { parseDuration } from "../config/duration.ts";
import { isRemote } from "../config/load.ts";
import type { Config, EnvironmentConfig, TargetConfig } from "../config/schema.ts";
import type { EmbeddedAddresses } from "./embedded.ts";
import { presentedSource } from "./presented-source.ts";

/** One environment with everything a service needs to work on it. */
export interface Environment {
  readonly name: EnvName;
  readonly config: EnvironmentConfig;
  readonly layout: KvLayout;
  /** The value of the ownership mark. */
  readonly mark: string;
  /** Path or URL of the deploy repo. */
  readonly repository: string;
  /** True where the repository is a folder of this machine. */
  readonly local: boolean;
  /** True where the engine keeps the repository itself. */
  readonly hosted: boolean;
  readonly formats: ReadonlyMap<TargetName, JobFormat>;
  openSource(quarantine?: { objectDirectory: string; alternates: string }): Promise<Source>;
  openSchedulers(): ReadonlyMap<TargetName, Scheduler>;
}

/** The repository this engine keeps itself for environments that name none. */
export function hostedRepository(config: Config): string {
  return join(config.dataDir, "git", "deploy.git");
}

/**
 * What the configuration says of its environments, ready to be opened; nothing is connected yet.
 * @param kindOf knows the kinds of schedulers; absent in a process that talks to none, which then need not load them.
 */
export function environmentsOf(
  config: Config,
  embedded: EmbeddedAddresses,
  clock: Clock,
  random: Random,
  kindOf?: typeof schedulerKind,
): readonly Environment[] {
  return Object.entries(config.environments).map(([text, environment]) => {
    const name = envName(text);
    const repository = environment.source.repository ?? hostedRepository(config);
    const targets = Object.entries(environment.targets).map(
      ([target, settings]) => [targetName(target), settings] as const,
    );
    return {
      name,
      config: environment,
      layout: kvLayout(config.prefix, name),
      mark: environment.owner ?? `${config.prefix.replaceAll("/", "-")}-${name}`,
      repository,
      local: !isRemote(repository),
      hosted: environment.source.repository === undefined,
      formats: new Map(
        kindOf ? targets.map(([target, settings]) => [target, kindOf(settings.type).format()]) : [],
      ),
      async openSource(quarantine) {
        const { branch, path } = environment.source;
        const cacheDir = join(config.dataDir, "clones", name);
        const source = await gitSource({
          repository,
          branch,
          cacheDir,
          clock,
          random,
          ...(path ? { path } : {}),
          ...(quarantine ? { quarantine } : {}),
        });
        return presentedSource(source, environment);
      },
      openSchedulers: () =>
        new Map(
          kindOf
            ? targets.map(([target, settings]) => [
                target,
                openScheduler(kindOf(settings.type), settings, { embedded, clock, random }),
              ])
            : [],
        ),
    };
  });
}

function openScheduler(
  kind: SchedulerKind,
  settings: TargetConfig,
  { embedded, clock, random }: { embedded: EmbeddedAddresses; clock: Clock; random: Random },
): Scheduler {
  const { type, addresses, username, passwordFile, tokenFile, ca, cert, key, concurrency } = settings;
  const auth = tokenFile
    ? { token: readSecret(tokenFile) }
    : username
      ? { username, password: passwordFile ? readSecret(passwordFile) : "" }
      : undefined;
  return kind.open({
    addresses: addresses ?? [embedded[type]],
    concurrency,
    clock,
    random,
    ...(auth ? { auth } : {}),
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
  });
}

/** A secret from its file, without the line end editors put there. */
export function readSecret(file: string): string {
  return readFileSync(file, "utf8").replace(/\r?\n$/, "");
}

/** Milliseconds of a duration that the configuration's checks have already seen. */
export function milliseconds(duration: string): number {
  return parseDuration(duration) ?? 0;
}
