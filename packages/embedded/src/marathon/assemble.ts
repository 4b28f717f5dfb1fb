import { randomUUID } from "node:crypto";
import type { Clock } from "@sluice/core";
import { portPool } from "../process/free-ports.ts";
import type { ProcessRunner } from "../process/process-runner.ts";
import { createDeployments } from "./deployment/deployments.ts";
import { planEvents } from "./deployment/plan-events.ts";
import { type EventBus, eventBus } from "./events.ts";
import { healthMonitor } from "./health/monitor.ts";
import { localProber } from "./health/prober.ts";
import type { Api } from "./http/api.ts";
import { createLeadership } from "./leadership.ts";
import type { EmbeddedMarathonOptions } from "./options.ts";
import { profileOf } from "./profiles.ts";
import { rootGroup } from "./root/root-group.ts";
import { servicePorts } from "./root/service-ports.ts";
import { createUpdates } from "./root/updates.ts";
import type { Store } from "./store.ts";
import { createFleets } from "./tasks/fleets.ts";
import { processBackend } from "./tasks/process-backend.ts";
import { resources } from "./tasks/resources.ts";
import { simulatedExecution } from "./tasks/simulated-backend.ts";

/** What a server is put together from besides its options. */
export interface Parts {
  store: Store;
  clock: Clock;
  runner: ProcessRunner;
  sandboxes: string;
  host: string;
  closing: AbortSignal;
}

/** Puts the parts of a server together; nothing runs yet. */
export function assemble(options: EmbeddedMarathonOptions, parts: Parts): Api {
  const { store, clock, host, closing } = parts;
  const profile = profileOf(options.profile ?? "1.10.x");
  const events = eventBus(clock);
  const root = rootGroup(store.apps(), store.groups());
  const ports = servicePorts(options.servicePorts ?? [10000, 20000]);
  for (const app of root.apps()) ports.take(app);
  const fleets = createFleets({
    clock,
    profile,
    host,
    events,
    closing,
    ...execution(options, parts, events),
    resources: resources(options.capacity ?? {}, host),
    newId: randomUUID,
    recordFailure(failure) {
      if (root.app(failure.appId)) void store.putFailure(failure).catch(() => undefined);
    },
  });
  const told = planEvents(events, profile);
  const deployments = createDeployments({
    fleets,
    events,
    told,
    closing,
    wanted: root.app,
    over: store.dropDeployment,
  });
  const maxRunningDeployments = options.maxRunningDeployments ?? 100;
  const updates = createUpdates({
    root,
    store,
    deployments,
    ports,
    events,
    told,
    clock,
    maxRunningDeployments,
  });
  return {
    root,
    updates,
    deployments,
    fleets,
    ports,
    store,
    events,
    profile,
    clock,
    host,
    closing,
    leadership: createLeadership(clock, options.electionMs ?? 500),
    address: () => host,
  };
}

function execution(options: EmbeddedMarathonOptions, parts: Parts, events: EventBus) {
  const { clock, runner, host, sandboxes, closing } = parts;
  const { startDelayMs = 0, firstProbeDelayMs = 100, simulate } = options;
  if (options.execution === "simulated")
    return simulatedExecution({ clock, events, startDelayMs, firstProbeDelayMs, simulate, closing });
  const baseEnv = options.taskEnv ?? defaultEnv();
  const pool = portPool(options.taskPorts ? { range: options.taskPorts } : {});
  const prober = localProber({ runner, host, sandboxes, baseEnv });
  return {
    backend: processBackend({ runner, ports: pool, host, sandboxes, baseEnv }),
    monitor: healthMonitor({ clock, events, prober, firstProbeDelayMs }),
  };
}

function defaultEnv(): Record<string, string> {
  const { PATH = "/usr/local/bin:/usr/bin:/bin", HOME = "/", LANG = "C.UTF-8" } = process.env;
  return { PATH, HOME, LANG };
}
