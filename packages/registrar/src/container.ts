/** Where a container's port is bound on its host. */
export interface PortBinding {
  /** `0.0.0.0`, `::` or an address of the host. */
  readonly hostIp: string;
  readonly hostPort: number;
}

export interface ContainerPort {
  /** The port inside the container. */
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /** Empty: exposed and not published. */
  readonly bindings: readonly PortBinding[];
}

/** `none`: the image has no HEALTHCHECK. */
export type ContainerHealth = "none" | "starting" | "healthy" | "unhealthy";

/** A container as Docker tells it. */
export interface Container {
  /** 64 hex digits. */
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  /** As it was started: `registry:5000/shop/web:1.4.2`. */
  readonly image: string;
  readonly running: boolean;
  /** `bridge`, `host`, a network's name, `container:<id>`. */
  readonly networkMode: string;
  /** IPv4 address, or IPv6 where there is none, by the network's name. */
  readonly networks: ReadonlyMap<string, string>;
  readonly ports: readonly ContainerPort[];
  readonly environment: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
  readonly health: ContainerHealth;
}

/** One container in a list: cheap to read, and telling whether a closer look is worth while. */
export interface ListedContainer {
  readonly id: string;
  /** Changes whenever a closer look may find something else. */
  readonly mark: string;
}

/** Without a member: something may have happened. */
export interface EngineHint {
  /** The container that was told to end, and still may serve what it has begun. */
  readonly stopping?: string;
  /** The container that was started, whatever it was told before. */
  readonly started?: string;
  /** Nobody listened before this: what containers were told may be out of date. */
  readonly gap?: true;
}

/** The part of a container engine that is used. Both reads throw ENGINE_UNREACHABLE; an answer is always whole. */
export interface ContainerEngine {
  /** Containers that run, or are paused. */
  list(signal?: AbortSignal): Promise<readonly ListedContainer[]>;
  /** Undefined where the container is gone. */
  inspect(id: string, signal?: AbortSignal): Promise<Container | undefined>;
  /** Yields when something may have happened, reconnecting inside; a hint only. Ends when the signal aborts. */
  watch(signal: AbortSignal): AsyncIterable<EngineHint>;
}
