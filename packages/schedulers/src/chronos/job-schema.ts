import { z } from "zod";
import { amount, count, fields, filled, flag, text, texts } from "../format/schema.ts";

const port = z.int().min(0).max(65_535);

const container = fields(
  {
    type: z.enum(["DOCKER", "MESOS"]),
    network: z.enum(["HOST", "BRIDGE", "USER"]),
    networkName: filled,
    networkInfos: z.array(
      fields({
        name: filled,
        protocol: text,
        labels: z.array(fields({}, { key: filled, value: text })),
        portMappings: z.array(fields({ protocol: text }, { hostPort: port, containerPort: port })),
      }),
    ),
    volumes: z.array(
      fields(
        {
          hostPath: filled,
          mode: z.enum(["RO", "RW"]),
          external: fields({
            name: filled,
            provider: filled,
            options: z.array(fields({}, { key: filled, value: text })),
          }),
        },
        { containerPath: filled },
      ),
    ),
    forcePullImage: flag,
    parameters: z.array(fields({}, { key: filled, value: text })),
  },
  { image: filled },
);

/** A job as Chronos 2.x and 3.x take it (reference 2.3). */
export const jobSchema = fields(
  {
    command: text,
    schedule: text,
    scheduleTimeZone: text,
    parents: z.array(filled),
    shell: flag,
    arguments: texts,
    cpus: amount,
    mem: amount,
    disk: amount,
    retries: count,
    owner: text,
    ownerName: text,
    description: text,
    disabled: flag,
    concurrent: flag,
    softError: flag,
    highPriority: flag,
    dataProcessingJobType: flag,
    executor: text,
    executorFlags: text,
    taskInfoData: text,
    runAsUser: filled,
    uris: texts,
    fetch: z.array(
      fields({ output_file: filled, executable: flag, cache: flag, extract: flag }, { uri: filled }),
    ),
    environmentVariables: z.array(fields({}, { name: filled, value: text })),
    constraints: z.array(z.tuple([filled, z.enum(["EQUALS", "LIKE", "UNLIKE"]), text])),
    container,
    maxCompletionTime: count,
    epsilon: text,
    async: flag,
  },
  {
    name: z.string().regex(/^[\w.-]+$/, "must be letters, digits, dots, hyphens and underscores"),
  },
);

const MADE_BY_CHRONOS = "Chronos counts this itself; leave it out";

export const STRANGE_KEYS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ["successCount", "errorCount", "errorsSinceLastSuccess", "lastSuccess", "lastError"].map((key) => [
      key,
      MADE_BY_CHRONOS,
    ]),
  ),
  id: "a Chronos job is named by `name`",
  env: "Chronos takes `environmentVariables`, a list of name and value",
};
