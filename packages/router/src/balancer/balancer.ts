import type { Backend } from "../render.ts";

/** What a running balancer holds. */
export interface Loaded {
  /** The structure its configuration was rendered with; undefined: it does not say. */
  readonly structure: string | undefined;
}

/** A load balancer on this machine. Members throw BALANCER_FAILED, whose message says what it refused. */
export interface Balancer {
  /** Whether it would take this file; the words of its refusal where not. */
  check(file: string, signal: AbortSignal): Promise<{ readonly refusal: string | undefined }>;
  /** Makes it read its file anew, and resolves once it works by it. @param structure of that file. */
  reload(structure: string, signal: AbortSignal): Promise<void>;
  /** What it works by now; undefined: it does not run. */
  loaded(signal: AbortSignal): Promise<Loaded | undefined>;
  /**
   * Brings the servers of backends whose structure is loaded to what is wanted, without a reload.
   * Absent: this balancer has to be reloaded for every change.
   * @returns how many servers were changed.
   */
  applyServers?(backends: readonly Backend[], signal: AbortSignal): Promise<number>;
  /** What stands in its slots now, to begin from; absent where it cannot tell. */
  readServers?(signal: AbortSignal): Promise<ReadonlyMap<string, readonly RunningSlot[]>>;
}

/** A slot of a running backend, by the backend's name. */
export interface RunningSlot {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly state: "ready" | "drain" | "maint";
}
