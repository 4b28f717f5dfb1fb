/** How a check or an instance does, in Consul's words. */
export type CheckStatus = "passing" | "warning" | "critical";

/** How the catalog finds out whether an instance is well. Times are milliseconds. */
export type CheckProbe =
  | {
      readonly kind: "http";
      readonly url: string;
      readonly method: string;
      readonly skipVerify: boolean;
    }
  | { readonly kind: "tcp"; readonly address: string }
  | { readonly kind: "grpc"; readonly address: string; readonly tls: boolean; readonly skipVerify: boolean }
  | { readonly kind: "script"; readonly args: readonly string[] }
  /** Nobody probes: whoever registered it reports. Critical once `ttlMs` pass without a report. */
  | { readonly kind: "ttl"; readonly ttlMs: number };

export interface ServiceCheck {
  /** Unique on its agent. */
  readonly id: string;
  readonly name: string;
  readonly probe: CheckProbe;
  /** Between two probes; ignored for `ttl`. */
  readonly intervalMs: number;
  readonly timeoutMs: number | undefined;
  /** Until the first probe or report. */
  readonly initial: CheckStatus;
  /** The catalog forgets a service that is critical for this long (Consul: a minute at least); undefined: never. */
  readonly deregisterAfterMs: number | undefined;
}

/** One instance of a service as it is to be registered. */
export interface ServiceDefinition {
  /** Unique on its agent. */
  readonly id: string;
  readonly name: string;
  /** IP or host name. */
  readonly address: string;
  readonly port: number;
  /** A set: order means nothing. */
  readonly tags: readonly string[];
  /** At most 64 pairs, keys of at most 128 and values of at most 512 bytes (Consul's limits). */
  readonly meta: Readonly<Record<string, string>>;
  readonly checks: readonly ServiceCheck[];
}

/** What an agent says of a service that is registered with it. */
export interface RegisteredService {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  /** By check id; what a check probes cannot be read back. */
  readonly checks: ReadonlyMap<string, { readonly status: CheckStatus; readonly output: string }>;
}

/** One instance of a service as the whole cluster sees it. */
export interface ServiceInstance {
  readonly node: string;
  readonly id: string;
  readonly name: string;
  /** The service's own address, or its node's where it has none. */
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  /** The worst of its checks, its node's included; `maintenance` outranks them all. */
  readonly status: CheckStatus | "maintenance";
  /** Relative weight while passing; 1 where nothing is said. */
  readonly weight: number;
}

export interface CatalogWatchOptions {
  readonly signal: AbortSignal;
  /** Told of a read that failed; the watch goes on by itself, and what was last yielded still holds as far as is known. */
  readonly onError?: (error: unknown) => void;
  /** Told of a read that succeeded after one that failed, before what it says is yielded, if that is anything new. */
  readonly onRecovered?: () => void;
}

/**
 * The service catalog: one agent's part of it to write, the cluster's whole to read. Failures are KV_UNREACHABLE
 * (transient) and KV_DENIED; a filtered answer is KV_FILTERED, never a shorter list.
 */
export interface Catalog {
  /** Everything registered with this agent whose Meta says `managed-by` = owner. */
  owned(owner: string, signal?: AbortSignal): Promise<readonly RegisteredService[]>;
  /** Creates or wholly replaces the service of this id, its checks included. */
  register(service: ServiceDefinition, signal?: AbortSignal): Promise<void>;
  /** One that is gone already counts as deregistered. */
  deregister(id: string, signal?: AbortSignal): Promise<void>;
  /** The state of a `ttl` check. */
  report(checkId: string, status: CheckStatus, output: string, signal?: AbortSignal): Promise<void>;
  /** Every service's tags by name, at once and after each change; equal answers are not repeated. */
  watchNames(options: CatalogWatchOptions): AsyncIterable<ReadonlyMap<string, readonly string[]>>;
  /** Every instance of a service, whatever its state, sorted by node and id; at once and after each change. */
  watchService(name: string, options: CatalogWatchOptions): AsyncIterable<readonly ServiceInstance[]>;
}
