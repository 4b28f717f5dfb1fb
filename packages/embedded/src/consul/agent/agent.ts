import type { Clock } from "@sluice/core";
import type { Catalog } from "../catalog/catalog.ts";
import { getCheck, getService, listServices } from "../catalog/reads.ts";
import type { Check, Service, Unindexed } from "../catalog/types.ts";
import { ConsulError } from "../http/answer.ts";
import type { Store } from "../store/store.ts";
import type { Transaction } from "../store/transaction.ts";
import { type CheckLoops, checkLoops } from "./check-loops.ts";
import type { CheckDefinition } from "./definition.ts";
import type { ProbeResult } from "./probes.ts";

/** What is registered on this one agent: it shows in the catalog under the agent's node, at once. */
export interface Agent {
  readonly nodeName: string;
  services(): Service[];
  service(id: string): Service | undefined;
  checks(): Check[];
  /** @param replace drops the service's checks that are not named again. */
  registerService(service: Unindexed<Service>, checks: CheckDefinition[], replace: boolean): Promise<void>;
  deregisterService(id: string): Promise<void>;
  /** @throws ConsulError (500) when its service is not there. */
  registerCheck(check: CheckDefinition): Promise<void>;
  deregisterCheck(id: string): Promise<void>;
  /** @throws ConsulError (500) when no TTL check has the id. */
  heard(id: string, result: ProbeResult): Promise<void>;
  /** Starts the checks that were there before a restart. */
  resume(): void;
  stop(): Promise<void>;
}

export interface AgentContext {
  nodeName: string;
  store: Store;
  catalog: Catalog;
  clock: Clock;
  failed(error: unknown): void;
}

export function agent(context: AgentContext): Agent {
  const { nodeName, store, catalog } = context;
  /** Latest outputs. A changed output alone moves no index, so it stays out of the catalog. */
  const outputs = new Map<string, string>();
  const loops = checkLoops({ ...context, report, removeService });

  async function report(id: string, { status, output }: ProbeResult) {
    outputs.set(id, output);
    if (getCheck(store.read, nodeName, id)?.Status === status) return;
    await store.write((tx) => {
      const check = getCheck(tx, nodeName, id);
      if (check) catalog.putCheck(tx, { ...check, Status: status, Output: output });
    });
  }

  function addCheck(tx: Transaction, check: CheckDefinition) {
    const known = getCheck(tx, nodeName, check.id);
    const status = known?.Status ?? check.initial;
    tx.put("agentChecks", check.id, Buffer.from(JSON.stringify(check)));
    catalog.putCheck(tx, { ...catalogCheck(check, nodeName), Status: status, Output: known?.Output ?? "" });
    tx.afterCommit(() => loops.start(check, status));
  }

  function dropCheck(tx: Transaction, id: string) {
    tx.remove("agentChecks", id);
    catalog.removeCheck(tx, nodeName, id);
    tx.afterCommit(() => {
      loops.cancel(id);
      outputs.delete(id);
    });
  }

  function checksOf(tx: Transaction, serviceId: string): string[] {
    const all = [...tx.range("agentChecks", "")].map(({ value }) => definition(value));
    return all.filter((check) => check.serviceId === serviceId).map(({ id }) => id);
  }

  function removeService(id: string): Promise<void> {
    return store.write((tx) => {
      for (const check of checksOf(tx, id)) dropCheck(tx, check);
      tx.remove("agentServices", id);
      catalog.removeService(tx, nodeName, id);
    });
  }

  function shown(check: Check): Check {
    return { ...check, Output: outputs.get(check.CheckID) ?? check.Output, CreateIndex: 0, ModifyIndex: 0 };
  }

  return {
    nodeName,
    deregisterService: removeService,
    services: () =>
      listServices(store.read, nodeName).filter(({ ID }) => store.read.get("agentServices", ID)),
    service: (id) => (store.read.get("agentServices", id) ? getService(store.read, nodeName, id) : undefined),
    checks() {
      const ids = [...store.read.range("agentChecks", "")].map(({ key }) => key);
      return ids.flatMap((id) => {
        const check = getCheck(store.read, nodeName, id);
        return check ? [shown(check)] : [];
      });
    },
    registerService: (service, checks, replace) =>
      store.write((tx) => {
        tx.put("agentServices", service.ID, PRESENT);
        catalog.putService(tx, nodeName, service);
        const kept = new Set(checks.map(({ id }) => id));
        for (const id of replace ? checksOf(tx, service.ID) : []) if (!kept.has(id)) dropCheck(tx, id);
        for (const check of checks) addCheck(tx, check);
      }),
    registerCheck: (check) =>
      store.write((tx) => {
        if (check.serviceId !== "" && !tx.get("agentServices", check.serviceId)) {
          throw new ConsulError(500, `ServiceID ${JSON.stringify(check.serviceId)} does not exist`);
        }
        addCheck(tx, check);
      }),
    deregisterCheck: (id) => store.write((tx) => (tx.get("agentChecks", id) ? dropCheck(tx, id) : undefined)),
    async heard(id, result) {
      if (await loops.heard(id, result)) return;
      throw new ConsulError(500, `CheckID ${JSON.stringify(id)} does not have associated TTL`);
    },
    resume: () => resumeChecks(store, nodeName, loops),
    stop: () => loops.stop(),
  };
}

const PRESENT = Buffer.from("1");

function resumeChecks({ read }: Store, nodeName: string, loops: CheckLoops): void {
  for (const { value } of read.range("agentChecks", "")) {
    const check = definition(value);
    loops.start(check, getCheck(read, nodeName, check.id)?.Status ?? check.initial);
  }
}

function definition(stored: Buffer): CheckDefinition {
  return JSON.parse(stored.toString()) as CheckDefinition;
}

function catalogCheck(check: CheckDefinition, nodeName: string): Unindexed<Check> {
  return {
    Node: nodeName,
    CheckID: check.id,
    Name: check.name,
    Status: check.initial,
    Notes: check.notes,
    Output: "",
    ServiceID: check.serviceId,
    ServiceName: "",
    ServiceTags: [],
    Type: check.probe.type,
    Definition: {},
  };
}
