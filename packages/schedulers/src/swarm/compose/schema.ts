import { z } from "zod";
import { amount, count, fields, filled, flag, text, textMap, texts } from "../../format/schema.ts";
import { SERVICE_NAME, SERVICE_NAME_WORDS } from "../service-schema.ts";
import { bytes, fileMode, nanoseconds, shellWords } from "./units.ts";

const duration = z
  .string()
  .refine((one) => nanoseconds(one) !== undefined, 'must be a duration such as "30s" or "1m30s"');
const size = z
  .union([z.string(), z.int()])
  .refine((one) => bytes(one) !== undefined, 'must be a size such as "512M" or "1g"');
const command = z.union([
  z.string().refine((one) => shellWords(one) !== undefined, "has a quote that is not closed"),
  texts,
]);
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const pairs = z.union([z.record(z.string(), scalar), texts]);
const oneOrMore = z.union([z.string(), texts]);
const whole = z.union([z.int().min(0), z.string().regex(/^\d+$/, "must be a whole number")]);
const mode = z
  .union([z.int(), z.string()])
  .refine((one) => fileMode(one) !== undefined, 'must be octal digits in quotes, such as "0440"');
const share = z.union([
  z.number().min(0),
  z.string().regex(/^\d+(\.\d+)?$/, 'must be a number such as "0.5"'),
]);

const port = fields(
  {
    published: whole,
    protocol: z.enum(["tcp", "udp", "sctp"]),
    mode: z.enum(["ingress", "host"]),
    name: text,
  },
  { target: z.int().min(1).max(65_535) },
);
const reference = fields({ target: filled, uid: text, gid: text, mode }, { source: filled });
const volume = fields(
  {
    source: filled,
    read_only: flag,
    consistency: text,
    bind: fields({ propagation: text }),
    volume: fields({ nocopy: flag }),
    tmpfs: fields({ size, mode }),
  },
  { type: z.enum(["bind", "volume", "tmpfs"]), target: filled },
);

const rollout = fields({
  parallelism: count,
  delay: duration,
  failure_action: z.enum(["continue", "pause", "rollback"]),
  monitor: duration,
  max_failure_ratio: amount,
  order: z.enum(["stop-first", "start-first"]),
});
const generic = z.array(fields({}, { discrete_resource_spec: fields({}, { kind: filled, value: z.int() }) }));

const deploy = fields({
  mode: z.enum(["replicated", "global", "replicated-job", "global-job"]),
  replicas: count,
  labels: pairs,
  update_config: rollout,
  rollback_config: rollout,
  endpoint_mode: z.enum(["vip", "dnsrr"]),
  resources: fields({
    limits: fields({ cpus: share, memory: size, pids: count }),
    reservations: fields({ cpus: share, memory: size, generic_resources: generic }),
  }),
  restart_policy: fields({
    condition: z.enum(["none", "on-failure", "any"]),
    delay: duration,
    max_attempts: count,
    window: duration,
  }),
  placement: fields({
    constraints: texts,
    preferences: z.array(fields({}, { spread: filled })),
    max_replicas_per_node: count,
  }),
});

/** A service of a Compose file, with the keys that Swarm heeds. */
export const composeService = fields(
  {
    command,
    entrypoint: command,
    environment: pairs,
    hostname: text,
    user: text,
    working_dir: text,
    tty: flag,
    stdin_open: flag,
    read_only: flag,
    init: flag,
    stop_signal: text,
    stop_grace_period: duration,
    healthcheck: fields({
      test: oneOrMore,
      interval: duration,
      timeout: duration,
      retries: count,
      start_period: duration,
      disable: flag,
    }),
    extra_hosts: pairs,
    dns: oneOrMore,
    dns_search: oneOrMore,
    dns_opt: texts,
    labels: pairs,
    cap_add: texts,
    cap_drop: texts,
    sysctls: pairs,
    ulimits: z.record(filled, z.union([z.int(), fields({}, { soft: z.int(), hard: z.int() })])),
    isolation: z.enum(["default", "process", "hyperv"]),
    logging: fields({ driver: filled, options: z.record(z.string(), scalar) }),
    ports: z.array(z.union([z.string(), z.int(), port])),
    networks: z.union([texts, z.record(filled, z.union([z.null(), fields({ aliases: texts })]))]),
    configs: z.array(z.union([filled, reference])),
    secrets: z.array(z.union([filled, reference])),
    volumes: z.array(z.union([filled, volume])),
    tmpfs: oneOrMore,
    depends_on: z.union([
      texts,
      z.record(filled, fields({ condition: text, restart: flag, required: flag })),
    ]),
    deploy,
  },
  { image: filled },
);

const external = z.union([flag, fields({ name: filled })]);
const material = {
  external,
  name: filled,
  content: text,
  labels: pairs,
  file: text,
  environment: text,
  driver: text,
};

/** What stands beside the services of a Compose file. */
export const composeFile = fields(
  {
    version: z.union([z.string(), z.number()]),
    name: z.string().regex(SERVICE_NAME, SERVICE_NAME_WORDS),
    configs: z.record(filled, z.union([z.null(), fields(material)])),
    secrets: z.record(filled, z.union([z.null(), fields(material)])),
    networks: z.record(
      filled,
      z.union([
        z.null(),
        fields({
          external,
          name: filled,
          driver: text,
          driver_opts: textMap,
          attachable: flag,
          internal: flag,
          enable_ipv6: flag,
          labels: pairs,
          ipam: fields({
            driver: text,
            config: z.array(fields({ subnet: text, gateway: text, ip_range: text })),
          }),
        }),
      ]),
    ),
    volumes: z.record(
      filled,
      z.union([
        z.null(),
        fields({ external, name: filled, driver: text, driver_opts: textMap, labels: pairs }),
      ]),
    ),
  },
  { services: z.record(z.string(), z.json()) },
);
