import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { consulKv } from "@sluice/consul";
import { type Clock, type Kv, messageOf, type Random, SluiceError } from "@sluice/core";
import { initBareRepository, treeCache } from "@sluice/git";
import type { Config } from "../config/schema.ts";
import type { LiveEnvironments } from "./branches/live.ts";
import { type Closers, closers } from "./closers.ts";
import { type EmbeddedAddresses, startEmbedded } from "./embedded.ts";
import {
  type Environment,
  type EnvironmentContext,
  environmentsOf,
  hostedRepository,
} from "./environment.ts";
import { eventStream } from "./event-stream.ts";
import type { EngineOptions } from "./options.ts";
import type { Role } from "./roles.ts";
import { runServices } from "./services.ts";
import { fanOut } from "./sinks.ts";

/** A running engine. */
export interface Engine {
  /** Where the HTTP API answers; undefined without the role `http`. */
  readonly address: string | undefined;
  /** Where the embedded servers answer, if this engine runs them. */
  readonly embedded: EmbeddedAddresses;
  /** The hosted deploy repo's URL, if this engine serves one. */
  readonly repositoryUrl: string | undefined;
  /** Rejects if a service dies of something that is no passing failure. */
  readonly failed: Promise<never>;
  /** Stops every service, server and child process; resolves with a sentence for each thing that would not stop. */
  stop(): Promise<readonly string[]>;
}

/** Starts what the roles name, in order; what was started is stopped again if a later part cannot. @throws SluiceError */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const closing = closers();
  try {
    return await start(options, closing);
  } catch (error) {
    await closing.closeAll();
    throw error;
  }
}

async function start(options: EngineOptions, closing: Closers): Promise<Engine> {
  const { config, roles, clock, random } = options;
  await usableFolder(config.dataDir);
  const embedded = await startEmbedded(config, roles, clock, closing);
  const kv = openKv(config, embedded.consul, clock, random, closing);
  // What only some roles need is loaded only for them: it is most of the time a process takes to start.
  const kinds =
    roles.has("http") || roles.has("deployer")
      ? (await import("@sluice/schedulers")).schedulerKind
      : undefined;
  const trees = treeCache(config.limits.maxFiles);
  const environments = environmentsOf(config, embedded, clock, random, kinds, trees);
  const branches = await liveBranches(
    { config, embedded, clock, random, kindOf: kinds, trees },
    { environments, kv, closing },
  );
  const role = roles.has("http")
    ? (await import("../http/role.ts")).httpRole({ kv, environments, roles, clock })
    : undefined;
  const stream = eventStream();
  const shared = fanOut([...(role?.sinks ?? []), stream, options.log]);
  const hosted = await hostRepository(config, [...environments, ...(branches?.patterned ?? [])], roles);
  const live = { environments: branches?.all ?? environments, patterned: branches?.patterned ?? [] };
  const front = { config, ...live, kv, clock, random, stream, events: shared, hosted, closing };
  const http = await role?.serve(front);
  const looked = role?.looked ?? (() => undefined);
  const failed = runServices({ ...options, environments, branches, kv, embedded, shared, looked, closing });
  return {
    address: http?.address,
    embedded,
    repositoryUrl: http && hosted ? `${http.address}/deploy.git` : undefined,
    failed,
    stop: closing.closeAll,
  };
}

/** Undefined where every environment is one branch: then nothing of branches is loaded. */
async function liveBranches(
  context: EnvironmentContext,
  { environments, kv, closing }: { environments: readonly Environment[]; kv: Kv; closing: Closers },
): Promise<LiveEnvironments | undefined> {
  const several = Object.values(context.config.environments).some(({ source }) => source.branches);
  if (!several) return undefined;
  const [{ patternedEnvironments }, { liveEnvironments }] = await Promise.all([
    import("./branches/patterned.ts"),
    import("./branches/live.ts"),
  ]);
  return liveEnvironments({ fixed: environments, patterned: patternedEnvironments(context), kv, closing });
}

async function usableFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new SluiceError(
      "DATA_DIR_UNUSABLE",
      `the data folder ${folder} cannot be written: ${messageOf(cause)}`,
      { cause },
    );
  }
}

function openKv(config: Config, embedded: string, clock: Clock, random: Random, closing: Closers): Kv {
  const { address = embedded, datacenter, tokenFile, ca, cert, key } = config.consul ?? {};
  const kv = consulKv({
    address,
    clock,
    random,
    ...(datacenter ? { datacenter } : {}),
    ...(tokenFile ? { tokenFile } : {}),
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
  });
  closing.add("Consul client", () => kv.close());
  return kv;
}

/** Makes the repository for environments that name none; undefined where every environment names its own. */
async function hostRepository(
  config: Config,
  environments: readonly Pick<Environment, "repository" | "config">[],
  roles: ReadonlySet<Role>,
): Promise<string | undefined> {
  const path = hostedRepository(config);
  const wanted = environments.filter((environment) => environment.repository === path);
  if (wanted.length === 0 || !(roles.has("http") || roles.has("mirror"))) return undefined;
  await initBareRepository(path, { defaultBranch: wanted[0]?.config.source.branch ?? "main" });
  return path;
}
