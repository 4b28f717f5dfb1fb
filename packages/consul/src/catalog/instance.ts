import type { ServiceInstance } from "@sluice/core";
import type { RawInstance } from "../raw-answers.ts";

const RANK = { passing: 0, warning: 1, critical: 2, maintenance: 3 } as const;

/** Consul's own form of an instance as ours. */
export function instanceOf({ Node, Service, Checks }: RawInstance): ServiceInstance {
  let status: ServiceInstance["status"] = "passing";
  for (const check of Checks) {
    const one = statusOf(check.CheckID, check.Status);
    if (RANK[one] > RANK[status]) status = one;
  }
  return {
    node: Node.Node,
    id: Service.ID,
    name: Service.Service,
    address: Service.Address || Node.Address,
    port: Service.Port,
    tags: [...(Service.Tags ?? [])].sort(),
    meta: Service.Meta ?? {},
    status,
    weight: Service.Weights?.Passing ?? 1,
  };
}

/** Maintenance mode is a critical check of a reserved name. */
function statusOf(checkId: string, status: string): ServiceInstance["status"] {
  if (checkId === "_node_maintenance" || checkId.startsWith("_service_maintenance:")) return "maintenance";
  return status === "passing" || status === "warning" ? status : "critical";
}

export function byNodeAndId(a: ServiceInstance, b: ServiceInstance): number {
  if (a.node !== b.node) return a.node < b.node ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
