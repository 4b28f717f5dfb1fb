import { type Catalog, type Clock, type Random, SluiceError, systemClock } from "@sluice/core";
import { type ConnectionOptions, transportOptions } from "../connection-options.ts";
import { transport } from "../transport.ts";
import { ownedServices } from "./owned.ts";
import { ALL_SERVICES, serviceRule } from "./permission.ts";
import { checkRegistration } from "./registration.ts";
import { takeTurns } from "./turns.ts";
import { watchNames, watchService } from "./watch.ts";

export interface ConsulCatalogOptions extends ConnectionOptions {
  /** Milliseconds one blocking query is held open; default 55,000. */
  readonly waitMs?: number;
  /** Blocking queries of service watches at the same time, default 96; more watches than that take turns. */
  readonly heldAtOnce?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface ConsulCatalog extends Catalog {
  /** Ends watches and requests under way, and closes the connections. */
  close(): void;
}

/** Half of what Consul allows one address by default, since other programs of the machine ask it too. */
const HELD_AT_ONCE = 96;

/** Consul's answer to an id it does not know: 404 since 1.14, 500 before. */
const UNKNOWN = /unknown service|unknown check/i;

/**
 * The `Catalog` port on Consul 1.8 and newer. What it registers lives on the agent it talks to: an agent of the same machine as
 * the containers, not a server, and always the same one. @throws CONFIG_INVALID
 */
export function consulCatalog(options: ConsulCatalogOptions): ConsulCatalog {
  const { clock = systemClock, random = Math.random, waitMs = 55_000, heldAtOnce = HELD_AT_ONCE } = options;
  // One beside them is for the watch of names. A turn may end a moment before its connection is free again.
  const wire = transport({ ...transportOptions(options), waitingConnections: heldAtOnce + 1 });
  const closing = new AbortController();
  const turns = takeTurns({ most: heldAtOnce, holdMs: waitMs });
  const context = { transport: wire, clock, random, waitMs, turns };
  /** Of each owner: what it had at the last look, by id, with the service's name. */
  const seen = new Map<string, Map<string, string>>();
  const until = (signal: AbortSignal) => AbortSignal.any([signal, closing.signal]);

  return {
    async owned(owner, signal) {
      const services = await ownedServices(wire, owner, { before: seen.get(owner), signal });
      seen.set(owner, new Map(services.map(({ id, name }) => [id, name])));
      return services;
    },
    async register(service, signal) {
      await wire.call({
        what: `register the service "${service.id}"`,
        rule: serviceRule(service.name, "write"),
        // Without it a check that is no longer wanted stays with the agent (1.5 and newer).
        query: "replace-existing-checks=true",
        readOnly: true,
        signal,
        send: (client, settings) =>
          client.agent.service.register({
            ...settings,
            ...service,
            checks: service.checks.map(checkRegistration),
          }),
      });
    },
    async deregister(id, signal) {
      await wire.call({
        what: `deregister the service "${id}"`,
        rule: ALL_SERVICES.write,
        readOnly: true,
        signal,
        accept: ({ status, text }) => (status === 404 || status === 500) && UNKNOWN.test(text),
        send: (client, settings) => client.agent.service.deregister({ ...settings, id }),
      });
      for (const known of seen.values()) known.delete(id);
    },
    async report(checkId, status, output, signal) {
      const verb = ({ passing: "pass", warning: "warn", critical: "fail" } as const)[status];
      await wire.call({
        what: `report the check "${checkId}"`,
        rule: ALL_SERVICES.write,
        readOnly: true,
        signal,
        send: (client, settings) => client.agent.check[verb]({ ...settings, id: checkId, note: output }),
      });
    },
    watchNames: ({ signal, ...rest }) => watchNames(context, { ...rest, signal: until(signal) }),
    watchService: (name, { signal, ...rest }) =>
      watchService(context, name, { ...rest, signal: until(signal) }),
    close() {
      closing.abort(new SluiceError("KV_UNREACHABLE", "The connection to Consul is closed."));
      wire.close();
    },
  };
}
