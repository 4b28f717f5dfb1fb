import { setMaxListeners } from "node:events";
import type { Server } from "node:http";
import { join } from "node:path";
import { systemClock } from "@sluice/core";
import { claimFolder } from "../process/data-folder.ts";
import { processRunner } from "../process/process-runner.ts";
import { assemble } from "./assemble.ts";
import type { Api } from "./http/api.ts";
import { appReadRoutes } from "./http/apps-read.ts";
import { appWriteRoutes } from "./http/apps-write.ts";
import { deploymentRoutes } from "./http/deployments.ts";
import { eventRoutes } from "./http/event-stream.ts";
import { groupReadRoutes } from "./http/groups-read.ts";
import { groupWriteRoutes } from "./http/groups-write.ts";
import { podRoutes } from "./http/pods.ts";
import { queueRoutes } from "./http/queue.ts";
import { httpServer } from "./http/server.ts";
import { serverRoutes } from "./http/server-facts.ts";
import { taskRoutes } from "./http/tasks.ts";
import type { EmbeddedMarathonOptions } from "./options.ts";
import { openStore, type Store } from "./store.ts";

export interface EmbeddedMarathon {
  /** `http://host:port`. */
  address: string;
  port: number;
  /** Each task's `stdout` and `stderr` are in `<sandboxes>/<app id joined by _>/<task id>/`. */
  sandboxes: string;
  /** Ends all tasks and the server. Apps and running deployments are taken up again by the next start. */
  stop(): Promise<void>;
}

/**
 * Starts a server that speaks Marathon's HTTP API and runs apps on this machine.
 * @throws an Error with one sentence when the folder cannot be written or is in use, or when the port is taken.
 */
export async function embeddedMarathon(options: EmbeddedMarathonOptions): Promise<EmbeddedMarathon> {
  const host = options.host ?? "127.0.0.1";
  const sandboxes = join(options.dataDir, "sandboxes");
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  const release = await claimFolder(options.dataDir);
  let store: Store | undefined;
  try {
    store = openStore(options.dataDir, options.durable ?? options.execution !== "simulated");
    const clock = options.clock ?? systemClock;
    const runner = options.runner ?? processRunner({ dataDir: options.dataDir, clock });
    await runner.recover();
    const api = assemble(options, { store, clock, runner, sandboxes, host, closing: closing.signal });
    const routes = [
      ...serverRoutes,
      ...queueRoutes,
      ...eventRoutes,
      ...deploymentRoutes,
      ...taskRoutes,
      ...appReadRoutes,
      ...appWriteRoutes,
      ...podRoutes,
      ...groupReadRoutes,
      ...groupWriteRoutes,
    ];
    const server = httpServer(routes, api, options.faults);
    const port = await listen(server, host, options.port ?? 0);
    api.address = () => `${host}:${port}`;
    takeUp(api);
    let stopped: Promise<void> | undefined;
    const stop = () => {
      stopped ??= shutDown({ server, closing, api, graceMs: options.stopGraceMs ?? 3000 }).finally(release);
      return stopped;
    };
    return { address: `http://${host}:${port}`, port, sandboxes, stop };
  } catch (error) {
    await store?.close();
    await release();
    throw error;
  }
}

/** Continues deployments that an earlier run left, and launches the instances of all other apps again. */
function takeUp({ store, root, deployments, fleets }: Api): void {
  const resumed = store.deployments();
  const busy = new Set(resumed.flatMap((plan) => plan.changes.map((change) => change.id)));
  for (const plan of resumed) deployments.begin(plan);
  for (const app of root.apps())
    if (!busy.has(app.id)) fleets.of(app.id).aim({ app, count: app.instances, of: "any" });
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "EADDRINUSE" ? "the port is taken" : error.message;
      reject(new Error(`Cannot listen on ${host}:${port}: ${why}`, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return typeof address === "object" && address ? address.port : port;
}

/** Beyond the tasks' grace: what SIGKILL and the closing of files may take. */
const STOP_MARGIN_MS = 15_000;

interface Closing {
  server: Server;
  closing: AbortController;
  api: Api;
  graceMs: number;
}

async function shutDown({ server, closing, api, graceMs }: Closing): Promise<void> {
  closing.abort();
  const closed = new Promise((resolve) => server.close(resolve));
  const instances = [...api.fleets.all()].flatMap((fleet) => fleet.instances());
  for (const one of instances) {
    one.ending.abort();
    one.task?.stop(graceMs).catch(() => undefined);
  }
  const deadline = new AbortController();
  await Promise.race([
    Promise.all(instances.map((one) => one.life)),
    api.clock.sleep(graceMs + STOP_MARGIN_MS, deadline.signal),
  ]);
  deadline.abort();
  server.closeAllConnections();
  await closed;
  await api.store.close();
}
