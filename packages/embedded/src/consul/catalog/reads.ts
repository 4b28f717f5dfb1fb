import type { Reader } from "../store/transaction.ts";
import type { Check, Node, Service } from "./types.ts";

/** The check that stands for a node's membership; sessions hang on it by default. */
export const SERF_HEALTH = "serfHealth";
/** Separates a node's name from what is on it in keys; no name contains it. */
export const OF = "\0";

export function getNode(read: Reader, node: string): Node | undefined {
  return parsed(read.get("nodes", node));
}

export function listNodes(read: Reader): Node[] {
  return all(read, "nodes", "");
}

export function getService(read: Reader, node: string, id: string): Service | undefined {
  return parsed(read.get("services", node + OF + id));
}

/** Services of a node, or of all nodes. */
export function listServices(read: Reader, node?: string): Service[] {
  return all(read, "services", node === undefined ? "" : node + OF);
}

/** Every instance of a service with the name of its node, by node and id. */
export function serviceInstances(read: Reader, name: string): { node: string; service: Service }[] {
  const found: { node: string; service: Service }[] = [];
  for (const { key } of read.range("serviceNames", name + OF)) {
    const [, node = "", id = ""] = key.split(OF);
    const service = getService(read, node, id);
    if (service) found.push({ node, service });
  }
  return found;
}

export function getCheck(read: Reader, node: string, id: string): Check | undefined {
  return parsed(read.get("checks", node + OF + id));
}

/** Checks of a node, or of all nodes. */
export function listChecks(read: Reader, node?: string): Check[] {
  return all(read, "checks", node === undefined ? "" : node + OF);
}

export function parsed<T>(found: Buffer | undefined): T | undefined {
  return found && (JSON.parse(found.toString()) as T);
}

function all<T>(read: Reader, table: "nodes" | "services" | "checks", prefix: string): T[] {
  return [...read.range(table, prefix)].map(({ value }) => JSON.parse(value.toString()) as T);
}
