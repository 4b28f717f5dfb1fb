import { EventEmitter, on } from "node:events";
import { isDeepStrictEqual } from "node:util";
import { type ErrorCode, SluiceError } from "../errors.ts";
import type {
  Catalog,
  CatalogWatchOptions,
  CheckStatus,
  ServiceDefinition,
  ServiceInstance,
} from "../ports/catalog.ts";

export interface MemoryCatalog extends Catalog {
  /** Every write in order: `register web-1`, `deregister web-1`, `report web-1:ttl passing`. */
  readonly writes: readonly string[];
  /** Every service that is registered, by id. */
  readonly services: ReadonlyMap<string, ServiceDefinition>;
  /** Puts instances where no agent of ours registers them; replaces all of that name. Empty: the service is gone. */
  place(name: string, instances: readonly ServiceInstance[]): void;
  /** Asked before every call but the watches: a code makes it throw. */
  fault: ((call: keyof Catalog, id: string) => ErrorCode | undefined) | undefined;
}

/** One agent's catalog in memory, on a node named `memory`. */
export function memoryCatalog(): MemoryCatalog {
  const services = new Map<string, ServiceDefinition>();
  const states = new Map<string, { status: CheckStatus; output: string }>();
  const placed = new Map<string, readonly ServiceInstance[]>();
  const writes: string[] = [];
  const changed = new EventEmitter().setMaxListeners(0);

  async function act(call: keyof Catalog, id: string, signal: AbortSignal | undefined, work: () => void) {
    signal?.throwIfAborted();
    const code = catalog.fault?.(call, id);
    if (code) throw new SluiceError(code, `told to fail ${call} of ${id}`);
    await Promise.resolve();
    work();
    if (call !== "owned") changed.emit("changed");
  }

  const checksOf = (service: ServiceDefinition) =>
    new Map(
      service.checks.map(({ id }) => [id, states.get(id) ?? { status: "critical" as const, output: "" }]),
    );

  function instanceOf(service: ServiceDefinition): ServiceInstance {
    const { id, name, address, port, tags, meta } = service;
    const found = [...checksOf(service).values()].map(({ status }) => status);
    const status = found.includes("critical")
      ? "critical"
      : found.includes("warning")
        ? "warning"
        : "passing";
    return { node: "memory", id, name, address, port, tags: [...tags].sort(), meta, status, weight: 1 };
  }

  function instances(name: string): readonly ServiceInstance[] {
    const own = [...services.values()].filter((one) => one.name === name).map(instanceOf);
    return [...own, ...(placed.get(name) ?? [])].sort((a, b) =>
      `${a.node} ${a.id}` < `${b.node} ${b.id}` ? -1 : 1,
    );
  }

  function names(): ReadonlyMap<string, readonly string[]> {
    const all = [...[...services.values()].map(({ name }) => name), ...placed.keys()];
    const tags = (name: string) => [...new Set(instances(name).flatMap((one) => one.tags))].sort();
    return new Map([...new Set(all)].sort().map((name) => [name, tags(name)]));
  }

  const catalog: MemoryCatalog = {
    writes,
    services,
    fault: undefined,
    place(name, given) {
      if (given.length > 0) placed.set(name, given);
      else placed.delete(name);
      changed.emit("changed");
    },
    async owned(owner, signal) {
      await act("owned", owner, signal, () => undefined);
      return [...services.values()]
        .filter(({ meta }) => meta["managed-by"] === owner)
        .map((service) => ({ ...service, checks: checksOf(service) }));
    },
    register: (service, signal) =>
      act("register", service.id, signal, () => {
        for (const { id } of services.get(service.id)?.checks ?? []) states.delete(id);
        services.set(service.id, service);
        for (const { id, initial } of service.checks) states.set(id, { status: initial, output: "" });
        writes.push(`register ${service.id}`);
      }),
    deregister: (id, signal) =>
      act("deregister", id, signal, () => {
        services.delete(id);
        writes.push(`deregister ${id}`);
      }),
    report: (checkId, status, output, signal) =>
      act("report", checkId, signal, () => {
        if (!states.has(checkId)) throw new SluiceError("KV_INVALID", `there is no check ${checkId}`);
        states.set(checkId, { status, output });
        writes.push(`report ${checkId} ${status}`);
      }),
    watchNames: (options) => watching(changed, options, names),
    watchService: (name, options) => watching(changed, options, () => instances(name)),
  };
  return catalog;
}

async function* watching<T>(
  changed: EventEmitter,
  { signal }: CatalogWatchOptions,
  read: () => T,
): AsyncGenerator<T, void> {
  if (signal.aborted) return;
  const changes = on(changed, "changed", { signal });
  let seen = read();
  yield seen;
  try {
    for await (const _ of changes) {
      const now = read();
      if (isDeepStrictEqual(now, seen)) continue;
      seen = now;
      yield now;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
