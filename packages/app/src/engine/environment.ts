import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Clock,
  type EnvName,
  envName,
  type JobFormat,
  type KvLayout,
  kvLayout,
  parseDuration,
  type Random,
  type Scheduler,
  type Source,
  type TargetName,
  targetName,
} from "@sluice/core";
import { gitSource, type TreeCache } from "@sluice/git";
import type { SchedulerKind, schedulerKind } from "@sluice/schedulers";
import { isRemote } from "../config/load.ts";
import type { Config, EnvironmentConfig, TargetConfig } from "../config/schema.ts";
import { accessOf, limitsOf } from "../config/source-access.ts";
import type { EmbeddedAddresses } from "./embedded.ts";
import { sourcePresenter } from "./presented-source.ts";

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
  /** The environment of several branches this is one of: it comes and goes with its branch. */
  readonly pattern: EnvName | undefined;
  /** False: it is mirrored and its pushes are checked, but no deployer works here. */
  readonly deploys: boolean;
  /** True where a push to this branch concerns the environment. */
  follows(branch: string): boolean;
  readonly formats: ReadonlyMap<TargetName, JobFormat>;
  openSource(quarantine?: { objectDirectory: string; alternates: string }): Promise<Source>;
  openSchedulers(): ReadonlyMap<TargetName, Scheduler>;
}

/** The repository this engine keeps itself for environments that name none. */
export function hostedRepository(config: Config): string {
  return join(config.dataDir, "git", "deploy.git");
}

/** What an environment is made from, besides its own part of the configuration. */
export interface EnvironmentContext {
  readonly config: Config;
  readonly embedded: EmbeddedAddresses;
  readonly clock: Clock;
  readonly random: Random;
  /** Knows the kinds of schedulers; absent in a process that talks to none, which then need not load them. */
  readonly kindOf: typeof schedulerKind | undefined;
  /** The environment of several branches this one is of. */
  readonly pattern?: EnvName;
  /** What all sources of this process have read of trees: a push is reviewed and mirrored by two of them. */
  readonly trees?: TreeCache | undefined;
}

/**
 * What the configuration says of its environments of one branch, ready to be opened; nothing is connected yet.
 * @param kindOf knows the kinds of schedulers; absent in a process that talks to none, which then need not load them.
 */
export function environmentsOf(
  config: Config,
  embedded: EmbeddedAddresses,
  clock: Clock,
  random: Random,
  kindOf?: typeof schedulerKind,
  trees?: TreeCache,
): readonly Environment[] {
  const context = { config, embedded, clock, random, kindOf, trees };
  return Object.entries(config.environments)
    .filter(([, { source }]) => source.branches === undefined)
    .map(([name, settings]) => environmentOf(context, envName(name), settings));
}

/** An environment of the one branch its settings name. */
export function environmentOf(
  context: EnvironmentContext,
  name: EnvName,
  settings: EnvironmentConfig,
): Environment {
  const { config, clock, random, kindOf } = context;
  const { branch } = settings.source;
  const repository = repositoryOf(config, settings);
  const present = sourcePresenter(settings, config.prefix);
  const targets = kindOf
    ? Object.entries(settings.targets).map(
        ([target, one]) => [targetName(target), one, kindOf(one.type)] as const,
      )
    : [];
  return {
    name,
    config: settings,
    layout: kvLayout(config.prefix, name),
    mark: settings.owner ?? `${config.prefix.replaceAll("/", "-")}-${name}`,
    repository,
    local: !isRemote(repository),
    hosted: settings.source.repository === undefined,
    deploys: settings.deploy ?? settings.layout === undefined,
    pattern: context.pattern,
    follows: (one) => one === branch,
    formats: new Map(targets.map(([target, , kind]) => [target, kind.format()])),
    async openSource(quarantine) {
      const { path } = settings.source;
      // One folder for all: environments of one repository share its clone.
      const cacheDir = join(config.dataDir, "clones");
      const source = await gitSource({
        repository,
        branch,
        cacheDir,
        clock,
        random,
        access: accessOf(settings.source),
        limits: limitsOf(config.limits),
        ...(context.trees ? { trees: context.trees } : {}),
        ...(path ? { path } : {}),
        ...(quarantine ? { quarantine } : {}),
      });
      return present(source);
    },
    openSchedulers: () =>
      new Map(targets.map(([target, one, kind]) => [target, openScheduler(kind, one, context)])),
  };
}

/** Path or URL of an environment's deploy repo. */
export function repositoryOf(config: Config, { source }: EnvironmentConfig): string {
  return source.repository ?? hostedRepository(config);
}

function openScheduler(
  kind: SchedulerKind,
  settings: TargetConfig,
  { embedded, clock, random }: EnvironmentContext,
): Scheduler {
  const { type, addresses, username, passwordFile, tokenFile, ca, cert, key, concurrency, registryAuthFile } =
    settings;
  // Read for every request, so that a new token is used without a restart.
  const auth = tokenFile
    ? () => ({ token: readSecret(tokenFile) })
    : username
      ? () => ({ username, password: passwordFile ? readSecret(passwordFile) : "" })
      : undefined;
  return kind.open({
    addresses: addresses ?? [type === "swarm" ? DOCKER_SOCKET : embedded[type]],
    concurrency,
    clock,
    random,
    ...(auth ? { auth } : {}),
    ...(registryAuthFile ? { registryAuth: () => readSecret(registryAuthFile) } : {}),
    ...(ca ? { ca: readFileSync(ca, "utf8") } : {}),
    ...(cert ? { cert: readFileSync(cert, "utf8") } : {}),
    ...(key ? { key: readFileSync(key, "utf8") } : {}),
  });
}

/** Where Docker listens on the machine it runs on. */
const DOCKER_SOCKET = "unix:///var/run/docker.sock";

/** A secret from its file, without the line end editors put there. */
export function readSecret(file: string): string {
  return readFileSync(file, "utf8").replace(/\r?\n$/, "");
}

/** Milliseconds of a duration that the configuration's checks have already seen. */
export function milliseconds(duration: string): number {
  return parseDuration(duration) ?? 0;
}
