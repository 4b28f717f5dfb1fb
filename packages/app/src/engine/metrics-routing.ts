import type { SluiceEvent } from "@sluice/core";
import type { Registry } from "prom-client";
import type { Look } from "./look.ts";
import { instruments } from "./metrics-instruments.ts";

/** Counts what the registrar and the router of this machine do. */
export function routingMetrics(registry: Registry, now: () => number) {
  const registrar = instruments(registry, "registrar_");
  const services = registrar.gauge("services", "Services this machine's containers are to have.", "node");
  const looks = registrar.gauge(
    "last_look_timestamp_seconds",
    "When all containers and services were last looked at with success.",
    "node",
  );
  const changes = registrar.counter(
    "changes_total",
    "Services registered and deregistered, checks reported.",
    "node",
    "kind",
  );
  const leftOut = registrar.counter(
    "left_out_total",
    "Services of containers that were found not to be registrable.",
    "node",
  );
  const failing = registrar.gauge("failing", "1 while it cannot go on.", "node");
  const router = routerInstruments(registry);

  return {
    emit(event: SluiceEvent) {
      if (event.type === "registrar.changed") {
        const { node } = event;
        for (const kind of ["registered", "deregistered", "reported"] as const)
          changes.inc({ node, kind }, event[kind]);
      } else if (event.type === "registrar.left-out") leftOut.inc({ node: event.node });
      else if (event.type === "registrar.failed") failing.set({ node: event.node }, 1);
      else if (event.type === "registrar.recovered") failing.set({ node: event.node }, 0);
      else if (event.type === "router.changed") {
        router.seconds.observe({ reloaded: String(event.reloaded) }, event.ms / 1_000);
      } else if (event.type === "router.rolled-back") router.rolledBack.inc();
      else if (event.type === "router.failed") router.failing.set(1);
      else if (event.type === "router.recovered") router.failing.set(0);
    },
    looked(look: Look) {
      if (look.service === "registrar") {
        services.set({ node: look.node }, look.services);
        looks.set({ node: look.node }, now() / 1_000);
      } else if (look.service === "router") {
        router.services.set(look.services);
        router.servers.set(look.servers);
        router.held.set(look.held);
        router.leftOut.set(look.leftOut);
        router.looks.set(now() / 1_000);
      }
    },
  };
}

const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];

function routerInstruments(registry: Registry) {
  const { gauge, counter, histogram } = instruments(registry, "router_");
  return {
    services: gauge("services", "Services that the load balancer leads to."),
    servers: gauge("servers", "Servers of these services that get traffic."),
    held: gauge("held_servers", "Servers that vanished from the catalog and are kept for now."),
    leftOut: gauge("left_out", "Services and instances that cannot be routed."),
    looks: gauge(
      "last_look_timestamp_seconds",
      "When the load balancer was last found, or made, as it should be.",
    ),
    seconds: histogram(
      "change_seconds",
      "Time of a change, by whether the load balancer was reloaded.",
      BUCKETS,
      "reloaded",
    ),
    rolledBack: counter("rollbacks_total", "Files that did not come to work and were taken back."),
    failing: gauge("failing", "1 while it cannot go on."),
  };
}
