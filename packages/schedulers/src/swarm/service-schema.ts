import { z } from "zod";
import { amount, count, fields, filled, flag, text, textMap, texts } from "../format/schema.ts";

const nanoseconds = z.int().min(0);
const port = z.int().min(0).max(65_535);
const any = z.record(z.string(), z.json());
const driver = fields({ Options: textMap }, { Name: filled });

const mount = fields(
  {
    Source: text,
    Type: z.enum(["bind", "volume", "tmpfs", "npipe"]),
    ReadOnly: flag,
    Consistency: text,
    BindOptions: fields({ Propagation: text, NonRecursive: flag, CreateMountpoint: flag }),
    VolumeOptions: fields({
      NoCopy: flag,
      Labels: textMap,
      DriverConfig: fields({ Name: text, Options: textMap }),
    }),
    TmpfsOptions: fields({ SizeBytes: count, Mode: count }),
  },
  { Target: filled },
);

const targetFile = fields({ UID: text, GID: text, Mode: count }, { Name: filled });
const configReference = fields({ File: targetFile, Runtime: any }, { ConfigName: filled });
const secretReference = fields({ File: targetFile }, { SecretName: filled });

const healthCheck = fields({
  Test: texts,
  Interval: nanoseconds,
  Timeout: nanoseconds,
  Retries: count,
  StartPeriod: nanoseconds,
  StartInterval: nanoseconds,
});

const containerSpec = fields(
  {
    Labels: textMap,
    Command: texts,
    Args: texts,
    Hostname: text,
    Env: texts,
    Dir: text,
    User: text,
    Groups: texts,
    Privileges: any,
    TTY: flag,
    OpenStdin: flag,
    ReadOnly: flag,
    Mounts: z.array(mount),
    StopSignal: text,
    StopGracePeriod: nanoseconds,
    // The API's description calls it the one, its answers the other.
    HealthCheck: healthCheck,
    Healthcheck: healthCheck,
    Hosts: texts,
    DNSConfig: fields({ Nameservers: texts, Search: texts, Options: texts }),
    Secrets: z.array(secretReference),
    Configs: z.array(configReference),
    Isolation: z.enum(["default", "process", "hyperv"]),
    Init: flag,
    Sysctls: textMap,
    CapabilityAdd: texts,
    CapabilityDrop: texts,
    CapabilityEffective: texts,
    Ulimits: z.array(fields({ Hard: z.int(), Soft: z.int() }, { Name: filled })),
  },
  { Image: filled },
);

const resources = fields({
  NanoCPUs: count,
  MemoryBytes: count,
  Pids: count,
  GenericResources: z.array(any),
});
const network = fields({ Aliases: texts, DriverOpts: textMap }, { Target: filled });

const taskTemplate = fields(
  {
    Resources: fields({ Limits: resources, Reservations: resources }),
    RestartPolicy: fields({
      Condition: z.enum(["none", "on-failure", "any"]),
      Delay: nanoseconds,
      MaxAttempts: count,
      Window: nanoseconds,
    }),
    Placement: fields({
      Constraints: texts,
      Preferences: z.array(fields({}, { Spread: fields({}, { SpreadDescriptor: filled }) })),
      MaxReplicas: count,
      Platforms: z.array(fields({ Architecture: text, OS: text })),
    }),
    ForceUpdate: count,
    Runtime: z.literal("container"),
    Networks: z.array(network),
    LogDriver: driver,
  },
  { ContainerSpec: containerSpec },
);

const rollout = fields({
  Parallelism: count,
  Delay: nanoseconds,
  FailureAction: z.enum(["continue", "pause", "rollback"]),
  Monitor: nanoseconds,
  MaxFailureRatio: amount,
  Order: z.enum(["stop-first", "start-first"]),
});

const mode = z.union([
  fields({}, { Replicated: fields({ Replicas: count }) }),
  fields({}, { Global: fields({}) }),
  fields({}, { ReplicatedJob: fields({ MaxConcurrent: count, TotalCompletions: count }) }),
  fields({}, { GlobalJob: fields({}) }),
]);

const endpoint = fields({
  Mode: z.enum(["vip", "dnsrr"]),
  Ports: z.array(
    fields(
      {
        Name: text,
        Protocol: z.enum(["tcp", "udp", "sctp"]),
        PublishedPort: port,
        PublishMode: z.enum(["ingress", "host"]),
      },
      { TargetPort: port },
    ),
  ),
});

/** What is made beside a service; the same words as in a Compose file. */
const content = fields({ content: text, labels: textMap, external: flag, name: filled });
const secret = fields({
  content: text,
  labels: textMap,
  external: flag,
  name: filled,
  "x-sluice": fields({ inClear: flag }),
});

export const SERVICE_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$/;
export const SERVICE_NAME_WORDS =
  "must be letters, digits, _ and -, beginning with a letter or digit, at most 63";

/** A ServiceSpec of the Engine API 1.41 and later, and beside it the contents of its configs and secrets. */
export const serviceSchema = fields(
  {
    Labels: textMap,
    Mode: mode,
    UpdateConfig: rollout,
    RollbackConfig: rollout,
    EndpointSpec: endpoint,
    configs: z.record(filled, content),
    secrets: z.record(filled, secret),
    networks: z.record(filled, any),
  },
  { Name: z.string().regex(SERVICE_NAME, SERVICE_NAME_WORDS), TaskTemplate: taskTemplate },
);

const MADE_BY_DOCKER = "Docker makes this field itself; leave it out";

/** Keys people copy from `docker service inspect`, or write at the wrong place. */
export const STRANGE_KEYS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      "ID",
      "Version",
      "CreatedAt",
      "UpdatedAt",
      "PreviousSpec",
      "Endpoint",
      "UpdateStatus",
      "ServiceStatus",
    ].map((key) => [key, MADE_BY_DOCKER]),
  ),
  Spec: "write what stands below `Spec` itself",
  Networks: "is deprecated by Docker; use TaskTemplate.Networks",
  image:
    "in a Compose file this stands below `services.<name>`; in a service spec write TaskTemplate.ContainerSpec.Image",
};
