/** An app in Marathon's canonical form (1.5 and later), as stored and as GET shows it, less counts and deployments. */
export interface App {
  id: string;
  cmd?: string;
  args?: string[];
  user?: string;
  instances: number;
  cpus: number;
  /** MiB. */
  mem: number;
  /** MiB. */
  disk: number;
  gpus: number;
  executor: string;
  role?: string;
  acceptedResourceRoles?: string[];
  env?: Record<string, string | { secret: string }>;
  secrets?: Record<string, { source: string }>;
  labels: Record<string, string>;
  /** Absolute paths of apps or groups; unknown ones are allowed. */
  dependencies?: string[];
  constraints?: string[][];
  fetch?: Fetch[];
  networks: Network[];
  /** Host networking only. */
  portDefinitions?: PortDefinition[];
  requirePorts: boolean;
  container?: Container;
  healthChecks?: HealthCheck[];
  readinessChecks?: ReadinessCheck[];
  backoffSeconds: number;
  backoffFactor: number;
  maxLaunchDelaySeconds: number;
  upgradeStrategy: UpgradeStrategy;
  killSelection: KillSelection;
  unreachableStrategy: "disabled" | { inactiveAfterSeconds: number; expungeAfterSeconds: number };
  residency?: Record<string, unknown>;
  taskKillGracePeriodSeconds?: number;
  executorResources?: Record<string, number>;
  resourceLimits?: Record<string, unknown>;
  tty?: boolean;
  check?: Record<string, unknown>;
  /** What a pod is made of; the fields beside it are then derived from it, so that one engine runs both. */
  pod?: Pod;
  version: string;
  versionInfo: { lastScalingAt: string; lastConfigChangeAt: string };
}

/** The part of an app a client may write. */
export type AppPatch = Partial<Omit<App, "version" | "versionInfo" | "pod">>;

/** A pod in Marathon's own form, defaults filled in, less `id`, `version` and `scaling`. */
export interface Pod {
  containers: PodContainer[];
  [field: string]: unknown;
}

export interface PodContainer {
  name: string;
  exec?: { command: { shell: string } | { argv: string[] } };
  resources: { cpus: number; mem: number; disk: number; gpus: number };
  endpoints?: PodEndpoint[];
  environment?: Record<string, string | { secret: string }>;
  [field: string]: unknown;
}

export interface PodEndpoint {
  name: string;
  containerPort?: number;
  /** 0: any. */
  hostPort?: number;
  protocol: string[];
  labels: Record<string, string>;
}

export type KillSelection = "YOUNGEST_FIRST" | "OLDEST_FIRST";

export interface UpgradeStrategy {
  /** Shares of `instances`, 0 to 1. */
  minimumHealthCapacity: number;
  maximumOverCapacity: number;
}

export interface Fetch {
  uri: string;
  extract: boolean;
  executable: boolean;
  cache: boolean;
  destPath?: string;
}

export interface Network {
  mode: "host" | "container" | "container/bridge";
  name?: string;
  labels?: Record<string, string>;
}

export interface PortDefinition {
  /** 0: to be assigned. */
  port: number;
  protocol: string;
  name?: string;
  labels?: Record<string, string>;
}

export interface PortMapping {
  containerPort: number;
  hostPort?: number;
  servicePort?: number;
  protocol: string;
  name?: string;
  labels: Record<string, string>;
  networkNames?: string[];
}

export interface Container {
  type: "DOCKER" | "MESOS";
  docker?: { image: string } & Record<string, unknown>;
  portMappings?: PortMapping[];
  volumes: Record<string, unknown>[];
}

export interface HealthCheck {
  protocol: string;
  path?: string;
  port?: number;
  portIndex?: number;
  command?: { value: string };
  gracePeriodSeconds: number;
  intervalSeconds: number;
  timeoutSeconds: number;
  maxConsecutiveFailures: number;
  delaySeconds: number;
  ignoreHttp1xx?: boolean;
  ipProtocol: string;
}

export interface ReadinessCheck {
  name: string;
  protocol: "HTTP" | "HTTPS";
  path: string;
  portName: string;
  intervalSeconds: number;
  timeoutSeconds: number;
  httpStatusCodesForReady: number[];
  preserveLastResponse: boolean;
}

/** One app as it was and as it shall be; `from` absent: it is new; `to` absent: it goes. */
export interface Change {
  id: string;
  from?: App;
  to?: App;
}

/** What a group says beside its members. */
export interface GroupFacts {
  /** Absolute paths of apps or groups that every app below waits for; unknown ones are allowed. */
  dependencies?: string[];
  /** Top-level groups only: whether what is in it runs under its name as role. */
  enforceRole?: boolean;
}

/** One group as it was and as it shall be; `from` absent: it is new; `to` absent: it goes. */
export interface GroupChange {
  path: string;
  from?: GroupFacts;
  to?: GroupFacts;
}

/** All that one write does to the root group. */
export interface Edit {
  apps: Change[];
  groups: GroupChange[];
}

/** How the last task of an app that failed did so, in the API's form. */
export interface TaskFailure {
  appId: string;
  host: string;
  message: string;
  state: string;
  taskId: string;
  slaveId: string;
  timestamp: string;
  version: string;
}

/** The one role of this framework. */
export const ROLE = "*";
/** The one agent. */
export const AGENT_ID = "embedded-S0";

/** Marathon's timestamps: UTC with three digits of seconds. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}
