import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { Server } from "node:http";
import type { Clock } from "@sluice/core";
import { type Agent, agent } from "./agent/agent.ts";
import { agentRoutes } from "./agent/agent-http.ts";
import { type Self, selfRoutes, VERSION } from "./agent/self-http.ts";
import { type Catalog, catalog } from "./catalog/catalog.ts";
import { catalogRoutes } from "./catalog/catalog-http.ts";
import { healthRoutes } from "./catalog/health-http.ts";
import { getNode, SERF_HEALTH } from "./catalog/reads.ts";
import type { Check, Unindexed } from "./catalog/types.ts";
import type { EmbeddedConsulEvent } from "./embedded-consul.ts";
import { TEXT } from "./http/answer.ts";
import { DATACENTER } from "./http/request.ts";
import { type Route, router } from "./http/router.ts";
import { httpFace } from "./http/server.ts";
import { type Kv, kv } from "./kv/kv.ts";
import { kvRoutes } from "./kv/kv-http.ts";
import { listIndexes } from "./kv/list-indexes.ts";
import { reapTombstones } from "./kv/tombstones.ts";
import { sessionRoutes } from "./sessions/session-http.ts";
import { type SessionTimers, sessionTimers } from "./sessions/session-timers.ts";
import { listSessions, type Session, type Sessions, sessions } from "./sessions/sessions.ts";
import { lastIndex, reason, type Store } from "./store/store.ts";
import { txnRoutes } from "./txn/txn-http.ts";
import { type Watchers, watchers } from "./watch/watchers.ts";

export interface AssemblyOptions {
  host: string;
  nodeName: string;
  clock: Clock;
  random: () => number;
  log: (event: EmbeddedConsulEvent) => void;
}

export interface Assembly {
  server: Server;
  /** To call once the server listens: registers the server's own node and starts the timers. */
  begin(): Promise<void>;
  end(): Promise<void>;
}

interface State {
  watchers: Watchers;
  kv: Kv;
  sessions: Sessions;
  timers: SessionTimers;
  catalog: Catalog;
  agent: Agent;
}

/** The server with everything behind it. */
export function assemble(store: Store, options: AssemblyOptions): Assembly {
  const { host, nodeName, clock, random, log } = options;
  const failed = (error: unknown) => log({ type: "consul.error", message: reason(error) });
  const stopping = new AbortController();
  // Every request that waits listens: many are no leak.
  setMaxListeners(0, stopping.signal);
  const state = assembleState(store, options, failed);
  const wait = { watchers: state.watchers, clock, random, stopped: stopping.signal };
  const lists = listIndexes(state.watchers);
  const context = { ...state, lists, store, read: store.read, wait, nodeName };
  const nodeId = getNode(store.read, nodeName)?.ID ?? randomUUID();
  const self: Self = { nodeName, nodeId, host, port: () => portOf(face.server) };
  const routes = [
    ...kvRoutes(context),
    ...txnRoutes(context),
    ...sessionRoutes(context),
    ...catalogRoutes(context),
    ...healthRoutes(context),
    ...agentRoutes(state.agent),
    ...selfRoutes(self),
    home(),
  ];
  const face = httpFace(router(routes), failed);
  let reaping: Promise<void> | undefined;
  return {
    server: face.server,
    async begin() {
      await registerSelf(store, state.catalog, self);
      for (const session of listSessions(store.read)) state.timers.start(session);
      state.agent.resume();
      reaping = reapTombstones(store, clock, () => lastIndex(store.read), stopping.signal).catch(failed);
    },
    async end() {
      stopping.abort();
      await face.close();
      await Promise.all([state.timers.stop(), state.agent.stop(), reaping]);
      await store.close();
    },
  };
}

function assembleState(store: Store, options: AssemblyOptions, failed: (error: unknown) => void): State {
  const { clock, nodeName, log } = options;
  const watching = watchers();
  const keys = kv(watching);
  const timers = sessionTimers(clock, async (session) => {
    await store.write((tx) => locks.destroy(tx, session)).catch(failed);
    log({ type: "consul.session-expired", session });
  });
  const listener = { created: timers.start, destroyed: timers.cancel };
  const locks = sessions(keys, watching, { clock, listener });
  const directory = catalog(watching, (tx, node, check) =>
    locks.destroyWhere(tx, (session) => session.Node === node && hangsOn(session, check)),
  );
  const local = agent({ nodeName, store, catalog: directory, clock, failed });
  return { watchers: watching, kv: keys, sessions: locks, timers, catalog: directory, agent: local };
}

/** @param check undefined when the whole node is gone. */
function hangsOn({ NodeChecks, ServiceChecks }: Session, check: string | undefined): boolean {
  if (check === undefined) return true;
  return NodeChecks.includes(check) || (ServiceChecks ?? []).some(({ ID }) => ID === check);
}

/** Consul's own node, its service and the check that stands for its membership: sessions hang on that check. */
async function registerSelf(
  store: Store,
  catalog: Catalog,
  { nodeName, nodeId, host, port }: Self,
): Promise<void> {
  const addresses = { lan: host, wan: host };
  await store.write((tx) => {
    catalog.putNode(tx, {
      ID: nodeId,
      Node: nodeName,
      Address: host,
      Datacenter: DATACENTER,
      TaggedAddresses: addresses,
      Meta: {},
    });
    catalog.putService(tx, nodeName, {
      ID: "consul",
      Service: "consul",
      Tags: [],
      Address: "",
      Meta: { version: VERSION },
      Port: port(),
      Weights: { Passing: 1, Warning: 1 },
      EnableTagOverride: false,
    });
    catalog.putCheck(tx, membership(nodeName));
  });
}

function membership(node: string): Unindexed<Check> {
  return {
    Node: node,
    CheckID: SERF_HEALTH,
    Name: "Serf Health Status",
    Status: "passing",
    Notes: "",
    Output: "Agent alive and reachable",
    ServiceID: "",
    ServiceName: "",
    ServiceTags: [],
    Type: "",
    Definition: {},
  };
}

function home(): Route {
  return { path: "/", methods: { GET: () => ({ status: 200, body: "Consul Agent", type: TEXT }) } };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}
