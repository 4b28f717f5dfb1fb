import { z } from "zod";
import { amount, count, fields, filled, flag, text, textMap } from "../format/schema.ts";
import { ID_WORDS, isAppId } from "./app-id.ts";
import { MADE_BY_MARATHON } from "./app-schema.ts";
import { limit, networkName, portName, share } from "./container-schema.ts";

const environment = z.record(
  // Marathon takes identifiers only here, unlike in an app.
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,253}$/, "must be letters, digits and underscores"),
  z.union([z.string(), fields({}, { secret: filled })]),
);
const command = z.union([fields({}, { shell: filled }), fields({}, { argv: z.array(text).min(1) })]);

const endpoint = fields(
  {
    containerPort: z.int().min(1).max(65_535),
    hostPort: z.int().min(0).max(65_535),
    protocol: z.array(z.enum(["tcp", "udp"])),
    labels: textMap,
    networkNames: z.array(networkName),
  },
  { name: portName },
);

const healthCheck = fields({
  http: fields({ path: text, scheme: z.enum(["HTTP", "HTTPS"]) }, { endpoint: portName }),
  tcp: fields({}, { endpoint: portName }),
  exec: fields({}, { command }),
  gracePeriodSeconds: amount,
  intervalSeconds: count,
  maxConsecutiveFailures: count,
  timeoutSeconds: count,
  delaySeconds: count,
});

const container = fields(
  {
    exec: fields({ overrideEntrypoint: flag }, { command }),
    resources: fields({ cpus: z.number().min(0.001), mem: amount, disk: amount, gpus: count }),
    resourceLimits: fields({ cpus: limit, mem: limit }),
    endpoints: z.array(endpoint),
    image: fields(
      { forcePull: flag, pullConfig: fields({}, { secret: filled }), labels: textMap },
      { kind: z.enum(["DOCKER", "APPC"]), id: filled },
    ),
    environment,
    user: filled,
    healthCheck,
    volumeMounts: z.array(fields({ readOnly: flag }, { name: filled, mountPath: filled })),
    artifacts: z.array(
      fields({ extract: flag, executable: flag, cache: flag, destPath: filled }, { uri: filled.max(1024) }),
    ),
    labels: textMap,
    lifecycle: fields({ killGracePeriodSeconds: amount }),
    tty: flag,
    linuxInfo: z.record(z.string(), z.unknown()),
  },
  { name: portName },
);

const operators = z.enum(["UNIQUE", "CLUSTER", "GROUP_BY", "LIKE", "UNLIKE", "MAX_PER", "IS"]);

const scheduling = fields({
  backoff: fields({ backoff: amount, backoffFactor: z.number().min(1), maxLaunchDelay: amount }),
  upgrade: fields({ minimumHealthCapacity: share, maximumOverCapacity: share }),
  placement: fields({
    constraints: z.array(fields({ value: text }, { fieldName: filled, operator: operators })),
    acceptedResourceRoles: z.array(filled),
  }),
  killSelection: z.enum(["YOUNGEST_FIRST", "OLDEST_FIRST"]),
  unreachableStrategy: z.union([
    z.literal("disabled"),
    fields({}, { inactiveAfterSeconds: count, expungeAfterSeconds: count }),
  ]),
});

const volume = fields(
  {
    host: filled,
    secret: filled,
    persistent: fields(
      { type: z.enum(["root", "path", "mount"]), maxSize: count, profileName: filled },
      { size: z.int().min(1) },
    ),
  },
  { name: filled },
);

/** A pod as Marathon 1.4 and later take it (reference 1.2, pods). */
export const podSchema = fields(
  {
    labels: textMap,
    user: filled,
    environment,
    secrets: z.record(filled, fields({}, { source: filled })),
    volumes: z.array(volume),
    networks: z.array(
      fields({
        mode: z.enum(["host", "container", "container/bridge"]),
        name: networkName,
        labels: textMap,
      }),
    ),
    scaling: fields({ kind: z.literal("fixed"), instances: count }),
    scheduling,
    executorResources: fields({
      cpus: z.number().min(0.1),
      mem: z.number().min(32),
      disk: z.number().min(10),
    }),
    role: filled,
  },
  {
    id: z.string().refine(isAppId, ID_WORDS),
    containers: z.array(container).min(1, "must hold at least one container"),
  },
);

/** Keys people copy from an answer of Marathon, or from an app. */
export const STRANGE_POD_KEYS: Readonly<Record<string, string>> = {
  version: MADE_BY_MARATHON,
  instances: "a pod says this as `scaling: {kind: fixed, instances: 2}`",
  env: "a pod says this as `environment`",
  container: "a pod has a list, `containers`",
  healthChecks: "a pod's containers have a `healthCheck` each",
  dependencies: "a pod has none in Marathon; use `sluice.dependsOn`",
};
