import { setTableIndex, tableIndex } from "../store/store.ts";
import type { Reader, Transaction } from "../store/transaction.ts";
import type { Watchers } from "../watch/watchers.ts";
import { listServices, serviceInstances } from "./reads.ts";

/** Moves the catalog's indexes and wakes those who wait on them, by Consul's rules. */
export interface CatalogIndexes {
  nodeChanged(tx: Transaction, node: string): void;
  serviceChanged(tx: Transaction, name: string): void;
  /** @param service name of the check's service; "" for a check of the node, which concerns all its services. */
  checkChanged(tx: Transaction, node: string, service: string): void;
}

export const NODES_TOPIC = "nodes";
export const SERVICES_TOPIC = "services";
export const CHECKS_TOPIC = "checks";

export function serviceTopic(name: string): string {
  return `service:${name}`;
}

const LAST_EXTINCTION = "service-extinction";

/** The latest change of any of the tables, at least 1. */
export function maxIndex(read: Reader, ...tables: ("nodes" | "services" | "checks")[]): number {
  return Math.max(1, ...tables.map((table) => tableIndex(read, table)));
}

/**
 * The index of one service: its own, so that the changes of others wake nobody; once its last instance is gone, that
 * of the latest such end.
 */
export function serviceIndex(read: Reader, name: string): number {
  const own = tableIndex(read, serviceTopic(name));
  return own || tableIndex(read, LAST_EXTINCTION) || maxIndex(read, "nodes", "services", "checks");
}

export function catalogIndexes(watchers: Watchers): CatalogIndexes {
  function move(tx: Transaction, table: string) {
    setTableIndex(tx, table, tx.index());
    tx.afterCommit(() => watchers.changed(table));
  }

  function moveServicesOf(tx: Transaction, node: string) {
    for (const name of new Set(listServices(tx, node).map(({ Service }) => Service))) {
      move(tx, serviceTopic(name));
    }
  }

  return {
    nodeChanged(tx, node) {
      move(tx, NODES_TOPIC);
      moveServicesOf(tx, node);
    },
    serviceChanged(tx, name) {
      move(tx, SERVICES_TOPIC);
      move(tx, serviceTopic(name));
      if (serviceInstances(tx, name).length > 0) return;
      tx.remove("indexes", serviceTopic(name));
      setTableIndex(tx, LAST_EXTINCTION, tx.index());
    },
    checkChanged(tx, node, service) {
      move(tx, CHECKS_TOPIC);
      if (service === "") moveServicesOf(tx, node);
      else move(tx, serviceTopic(service));
    },
  };
}
