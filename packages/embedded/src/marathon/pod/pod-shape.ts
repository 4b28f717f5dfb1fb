import {
  anything,
  bool,
  type Fields,
  fallback,
  int,
  isRecord,
  list,
  map,
  num,
  object,
  oneOfForms,
  type Place,
  required,
  text,
} from "../app/readers.ts";
import { isPathSpelling } from "../ids.ts";
import type { Pod, UpgradeStrategy } from "../model.ts";
import { type Violation, wrongShape } from "../refusal.ts";

/** A pod as a client sent it, with the defaults that do not depend on anything else. */
export interface SentPod extends Pod {
  id: string;
  version?: string;
  labels: Record<string, string>;
  scaling: { kind: "fixed"; instances: number };
  scheduling: {
    backoff: { backoff: number; backoffFactor: number; maxLaunchDelay: number };
    upgrade?: UpgradeStrategy;
    placement: Record<string, unknown>;
    killSelection: "YOUNGEST_FIRST" | "OLDEST_FIRST";
    unreachableStrategy?: "disabled" | { inactiveAfterSeconds: number; expungeAfterSeconds: number };
  };
  executorResources: { cpus: number; mem: number; disk: number };
  networks: { mode: string; name?: string; labels?: Record<string, string> }[];
  volumes?: Record<string, unknown>[];
}

const texts = map(text());
const name = text({ min: 1, max: 63, matches: (value) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(value) });
const secretOrText = oneOfForms([isRecord, object({ secret: required(text()) })], [() => true, text()]);
const command = oneOfForms(
  [(value) => isRecord(value) && "argv" in value, object({ argv: required(list(text(), 1)) })],
  [() => true, object({ shell: required(text({ min: 1 })) })],
);

const endpoint = object({
  name: required(name),
  containerPort: int(1, 65535),
  hostPort: int(0, 65535),
  protocol: fallback(list(text({ oneOf: ["tcp", "udp"] })), ["tcp"]),
  labels: fallback(texts, {}),
});

const healthCheck = object({
  http: object({ endpoint: required(name), path: text(), scheme: text({ oneOf: ["HTTP", "HTTPS"] }) }),
  tcp: object({ endpoint: required(name) }),
  exec: object({ command: required(command) }),
  gracePeriodSeconds: fallback(num(0), 300),
  intervalSeconds: fallback(int(0), 60),
  maxConsecutiveFailures: fallback(int(0), 3),
  timeoutSeconds: fallback(int(0), 20),
  delaySeconds: fallback(int(0), 15),
});

const RESOURCES = { cpus: 1, mem: 128, disk: 0, gpus: 0 };

const container = object({
  name: required(name),
  exec: object({ command: required(command), overrideEntrypoint: bool }),
  resources: fallback(
    object({
      cpus: fallback(num(0.001), 1),
      mem: fallback(num(0), 128),
      disk: fallback(num(0), 0),
      gpus: fallback(int(0), 0),
    }),
    RESOURCES,
  ),
  resourceLimits: anything,
  endpoints: list(endpoint),
  image: object({
    kind: required(text({ oneOf: ["DOCKER", "APPC"] })),
    id: required(text({ min: 1 })),
    forcePull: bool,
    pullConfig: anything,
    labels: texts,
  }),
  environment: map(secretOrText),
  user: text(),
  healthCheck,
  volumeMounts: list(anything),
  artifacts: list(anything),
  labels: texts,
  lifecycle: object({ killGracePeriodSeconds: num(0) }),
  tty: bool,
});

const BACKOFF: Fields = { backoff: fallback(num(0), 1), backoffFactor: fallback(num(1), 1.15) };

const scheduling = (maxLaunchDelay: number) =>
  object({
    backoff: fallback(object({ ...BACKOFF, maxLaunchDelay: fallback(num(0), maxLaunchDelay) }), {
      backoff: 1,
      backoffFactor: 1.15,
      maxLaunchDelay,
    }),
    upgrade: object({
      minimumHealthCapacity: fallback(num(0, 1), 1),
      maximumOverCapacity: fallback(num(0, 1), 1),
    }),
    placement: fallback(
      object({
        constraints: fallback(list(constraint), []),
        acceptedResourceRoles: fallback(list(text()), []),
      }),
      { constraints: [], acceptedResourceRoles: [] },
    ),
    killSelection: fallback(text({ oneOf: ["YOUNGEST_FIRST", "OLDEST_FIRST"] }), "YOUNGEST_FIRST"),
    unreachableStrategy: oneOfForms(
      [isRecord, object({ inactiveAfterSeconds: required(int(0)), expungeAfterSeconds: required(int(0)) })],
      [() => true, text({ oneOf: ["disabled"] })],
    ),
  });

const OPERATORS = ["UNIQUE", "CLUSTER", "GROUP_BY", "LIKE", "UNLIKE", "MAX_PER", "IS"];

function constraint(value: unknown, place: Place): unknown {
  const fields = {
    fieldName: required(text()),
    operator: required(text({ oneOf: OPERATORS })),
    value: text(),
  };
  return object(fields)(value, place);
}

function podReader(maxLaunchDelay: number) {
  return object({
    id: required(text({ matches: isPathSpelling })),
    version: text(),
    labels: fallback(texts, {}),
    user: text(),
    environment: map(secretOrText),
    containers: required(list(container, 1)),
    secrets: map(object({ source: required(text({ min: 1 })) })),
    volumes: list(anything),
    networks: list(
      object({
        mode: fallback(text({ oneOf: ["host", "container", "container/bridge"] }), "container"),
        name: text({ min: 1 }),
        labels: texts,
      }),
    ),
    scaling: fallback(
      object({ kind: fallback(text({ oneOf: ["fixed"] }), "fixed"), instances: fallback(int(0), 1) }),
      { kind: "fixed", instances: 1 },
    ),
    scheduling: fallback(scheduling(maxLaunchDelay), {}),
    executorResources: fallback(
      object({
        cpus: fallback(num(0.1), 0.1),
        mem: fallback(num(32), 32),
        disk: fallback(num(10), 10),
      }),
      { cpus: 0.1, mem: 32, disk: 10 },
    ),
    role: text(),
  });
}

/** @throws Refusal "Invalid JSON" with every wrong place. */
export function readSentPod(value: unknown, rules: { status: number; maxLaunchDelay: number }): SentPod {
  const found: Violation[] = [];
  const whole = isRecord(value) ? { ...value, scheduling: value.scheduling ?? {} } : value;
  const pod = podReader(rules.maxLaunchDelay)(whole, { path: "", found });
  if (found.length > 0) throw wrongShape(rules.status, found);
  return pod as SentPod;
}
