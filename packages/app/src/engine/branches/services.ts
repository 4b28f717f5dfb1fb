import {
  type Clock,
  type EventSink,
  emitterFor,
  isSluiceError,
  type Kv,
  type KvLockOptions,
  messageOf,
  missingRules,
  type Random,
} from "@sluice/core";
import type { Environment } from "../environment.ts";
import { eventLog } from "../event-log.ts";
import { rememberLock } from "../held-lock.ts";
import type { Role } from "../roles.ts";
import { fanOut, only } from "../sinks.ts";
import { keepBranches } from "./keeper.ts";
import type { LiveEnvironments } from "./live.ts";
import type { PatternedEnvironment } from "./patterned.ts";
import { supervisor } from "./supervisor.ts";

export interface BranchServicesOptions {
  readonly live: LiveEnvironments;
  readonly roles: ReadonlySet<Role>;
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly shared: EventSink;
  readonly lock: KvLockOptions;
  /** The services of one environment, until the signal aborts. */
  runMirror(environment: Environment, signal: AbortSignal): Promise<void>;
  runDeployer(environment: Environment, signal: AbortSignal): Promise<void>;
}

/** Runs what this process's roles are for each branch that has an environment, as they come and go. Ends with the signal. */
export async function branchServices(options: BranchServicesOptions, signal: AbortSignal): Promise<void> {
  const { live, roles } = options;
  const mirrors = supervised("mirror.failed", options.runMirror, options);
  const deployers = supervised("deployment.failed", options.runDeployer, options);
  live.follow((environments) => {
    if (roles.has("mirror")) mirrors.set(environments);
    if (roles.has("deployer")) deployers.set(environments.filter(({ deploys }) => deploys));
  });
  const keepers = roles.has("mirror") ? live.patterned.map((one) => keep(one, options, signal)) : [];
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  await Promise.all([mirrors.close(), deployers.close(), ...keepers]);
}

function supervised(
  type: "mirror.failed" | "deployment.failed",
  run: BranchServicesOptions["runMirror"],
  options: BranchServicesOptions,
) {
  const { clock, random, shared } = options;
  return supervisor({
    clock,
    random,
    run,
    failed(environment, error) {
      const code = isSluiceError(error) ? error.code : "INTERNAL";
      emitterFor(environment.name, shared, clock)({ type, code, message: messageOf(error) });
    },
  });
}

async function keep(
  patterned: PatternedEnvironment,
  { kv, clock, random, shared, lock }: BranchServicesOptions,
  signal: AbortSignal,
): Promise<void> {
  const { kv: elections, fence } = rememberLock(kv);
  const onError = missingRules(emitterFor(patterned.name, shared, clock), "branches");
  const log = eventLog({ kv, clock, key: `${patterned.layout.events}/branches`, fence, onError });
  const events = fanOut([shared, only(["branches."], log)]);
  await keepBranches({ patterned, kv, elections, clock, random, events, lock, onError }, signal);
  await log.flush();
}
