import { ConsulError } from "../http/answer.ts";
import type { Transaction } from "../store/transaction.ts";
import type { Watchers } from "../watch/watchers.ts";
import { catalogIndexes } from "./indexes.ts";
import { getCheck, getNode, getService, listChecks, listServices, OF, parsed } from "./reads.ts";
import type { Check, Node, Service, Unindexed } from "./types.ts";

/** Writes to the catalog. What is registered again unchanged moves no index and wakes nobody. */
export interface Catalog {
  putNode(tx: Transaction, node: Unindexed<Node>): void;
  /** @throws ConsulError (500) when the node is not there. */
  putService(tx: Transaction, node: string, service: Unindexed<Service>): void;
  /** Takes ServiceName and ServiceTags from its service. @throws ConsulError (500) when node or service is not there. */
  putCheck(tx: Transaction, check: Unindexed<Check>): void;
  removeNode(tx: Transaction, node: string): void;
  removeService(tx: Transaction, node: string, id: string): void;
  removeCheck(tx: Transaction, node: string, id: string): void;
}

/**
 * Told, inside the transaction, that a check fails or is gone, or (without a check) that the node is gone: sessions
 * that hang on it end.
 */
export type CheckLost = (tx: Transaction, node: string, checkId?: string) => void;

export function catalog(watchers: Watchers, lost: CheckLost): Catalog {
  const indexes = catalogIndexes(watchers);

  function putCheck(tx: Transaction, check: Unindexed<Check>) {
    if (!getNode(tx, check.Node)) throw new ConsulError(500, "Missing node registration");
    const service = check.ServiceID === "" ? undefined : getService(tx, check.Node, check.ServiceID);
    if (check.ServiceID !== "" && !service) {
      throw new ConsulError(
        500,
        `failed inserting check: Missing service registration on node "${check.Node}"`,
      );
    }
    const full = { ...check, ServiceName: service?.Service ?? "", ServiceTags: service?.Tags ?? [] };
    if (!write(tx, "checks", check.Node + OF + check.CheckID, full)) return;
    indexes.checkChanged(tx, check.Node, full.ServiceName);
    if (full.Status === "critical") lost(tx, check.Node, check.CheckID);
  }

  function removeCheck(tx: Transaction, node: string, id: string) {
    const check = getCheck(tx, node, id);
    if (!check) return;
    tx.remove("checks", node + OF + id);
    indexes.checkChanged(tx, node, check.ServiceName);
    lost(tx, node, id);
  }

  function removeService(tx: Transaction, node: string, id: string) {
    const service = getService(tx, node, id);
    if (!service) return;
    for (const check of listChecks(tx, node))
      if (check.ServiceID === id) removeCheck(tx, node, check.CheckID);
    tx.remove("services", node + OF + id);
    tx.remove("serviceNames", service.Service + OF + node + OF + id);
    indexes.serviceChanged(tx, service.Service);
  }

  return {
    putCheck,
    removeCheck,
    removeService,
    putNode(tx, node) {
      if (write(tx, "nodes", node.Node, node)) indexes.nodeChanged(tx, node.Node);
    },
    putService(tx, node, service) {
      if (!getNode(tx, node)) throw new ConsulError(500, "Missing node registration");
      const old = getService(tx, node, service.ID);
      if (old && old.Service !== service.Service) removeService(tx, node, service.ID);
      if (!write(tx, "services", node + OF + service.ID, service)) return;
      tx.put("serviceNames", service.Service + OF + node + OF + service.ID, Buffer.alloc(0));
      indexes.serviceChanged(tx, service.Service);
      for (const check of listChecks(tx, node)) if (check.ServiceID === service.ID) putCheck(tx, check);
    },
    removeNode(tx, node) {
      if (!getNode(tx, node)) return;
      for (const { ID } of listServices(tx, node)) removeService(tx, node, ID);
      for (const { CheckID } of listChecks(tx, node)) removeCheck(tx, node, CheckID);
      tx.remove("nodes", node);
      indexes.nodeChanged(tx, node);
      lost(tx, node);
    },
  };
}

/** @returns whether anything but the indexes differs from what is there. */
function write(tx: Transaction, table: "nodes" | "services" | "checks", key: string, given: object): boolean {
  const old = parsed<Indexed>(tx.get(table, key));
  const {
    CreateIndex: _create,
    ModifyIndex: _modify,
    ...content
  } = { CreateIndex: 0, ModifyIndex: 0, ...given };
  if (old) {
    const { CreateIndex: _oldCreate, ModifyIndex: _oldModify, ...oldContent } = old;
    if (JSON.stringify(oldContent) === JSON.stringify(content)) return false;
  }
  const index = tx.index();
  const full = { ...content, CreateIndex: old?.CreateIndex ?? index, ModifyIndex: index };
  tx.put(table, key, Buffer.from(JSON.stringify(full)));
  return true;
}

interface Indexed {
  CreateIndex: number;
  ModifyIndex: number;
}
