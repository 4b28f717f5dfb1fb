import { z } from "zod";
import { amount, count, fields, filled, flag, text, textMap, texts } from "../format/schema.ts";

const port = z.int().min(0).max(65_535);
const protocol = z.enum(["tcp", "udp", "udp,tcp"]);

/** RFC 6335, as Marathon reads it. */
export const portName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "must be lower-case letters, digits and inner hyphens");

export const networkName = z
  .string()
  .regex(
    /^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/,
    "must be lower-case letters, digits and inner hyphens or underscores",
  );

/** `networks` of reference 1.4.2. */
export const networks = z.array(
  fields({ name: networkName, labels: textMap }, { mode: z.enum(["host", "container", "container/bridge"]) }),
);

/** Host mode's ports. */
export const portDefinitions = z.array(fields({ port, protocol, name: portName, labels: textMap }));

const portMappings = z.array(
  fields({
    containerPort: port,
    hostPort: port,
    servicePort: port,
    protocol,
    name: portName,
    labels: textMap,
    networkNames: z.array(networkName),
  }),
);

const constraint = z.array(z.string()).min(2, "must be [field, OPERATOR] or [field, OPERATOR, value]").max(3);
export const constraints = z.array(constraint);

const volume = fields({
  containerPath: filled,
  hostPath: filled,
  mode: z.enum(["RO", "RW"]),
  secret: filled,
  persistent: fields(
    {
      type: z.enum(["root", "path", "mount"]),
      maxSize: count,
      profileName: filled,
      constraints,
    },
    { size: z.int().min(1) },
  ),
  external: fields({
    size: count,
    name: filled,
    provider: filled,
    shared: flag,
    options: z.record(z.string(), z.unknown()),
  }),
});

const docker = fields(
  {
    forcePullImage: flag,
    privileged: flag,
    parameters: z.array(fields({}, { key: filled, value: text })),
    pullConfig: fields({}, { secret: filled }),
    network: z.enum(["HOST", "BRIDGE", "USER"]),
    portMappings,
  },
  { image: filled },
);

/** `container` of reference 1.4.2, with the deprecated Docker networking. */
export const container = fields({
  type: z.enum(["DOCKER", "MESOS"]),
  docker,
  portMappings,
  volumes: z.array(volume),
  linuxInfo: z.record(z.string(), z.unknown()),
});

/** Deprecated way to give an app an address of its own. */
export const ipAddress = fields({
  groups: texts,
  labels: textMap,
  networkName,
  discovery: fields({
    ports: z.array(fields({ labels: textMap }, { number: port, name: portName, protocol })),
  }),
});

const command = fields({}, { value: filled });

/** `healthChecks` of reference 1.4.3. */
export const healthChecks = z.array(
  fields({
    protocol: z.enum(["HTTP", "HTTPS", "TCP", "COMMAND", "MESOS_HTTP", "MESOS_HTTPS", "MESOS_TCP"]),
    path: text,
    port,
    portIndex: count,
    gracePeriodSeconds: count,
    intervalSeconds: count,
    timeoutSeconds: count,
    maxConsecutiveFailures: count,
    delaySeconds: count,
    ignoreHttp1xx: flag,
    ipProtocol: z.enum(["IPv4", "IPv6"]),
    command,
  }),
);

/** `readinessChecks` of reference 1.4.3. */
export const readinessChecks = z
  .array(
    fields({
      name: filled,
      protocol: z.enum(["HTTP", "HTTPS"]),
      path: text,
      portName,
      intervalSeconds: count,
      timeoutSeconds: count,
      httpStatusCodesForReady: z.array(z.int().min(100).max(599)),
      preserveLastResponse: flag,
    }),
  )
  .max(1, "must hold at most one check");

/** The generic Mesos check of Marathon 1.8 and later. */
export const genericCheck = fields({
  http: fields({ path: text, portIndex: count, scheme: text }),
  tcp: fields({ portIndex: count }),
  exec: fields({}, { command: z.record(z.string(), z.unknown()) }),
  intervalSeconds: count,
  timeoutSeconds: count,
  delaySeconds: count,
});

/** `fetch` of reference 1.4.1. */
export const fetches = z.array(
  fields({ extract: flag, executable: flag, cache: flag, destPath: filled }, { uri: filled.max(1024) }),
);

/** `resourceLimits` of Marathon 1.10. */
export const limit = z.union([z.number().min(0), z.literal("unlimited")]);

/** A share of the instances. */
export const share = amount.max(1);
