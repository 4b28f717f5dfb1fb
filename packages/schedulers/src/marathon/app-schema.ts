import { z } from "zod";
import { amount, count, fields, filled, flag, textMap, texts } from "../format/schema.ts";
import { ID_WORDS, isAbsolutePath, isAppId } from "./app-id.ts";
import {
  constraints,
  container,
  fetches,
  genericCheck,
  healthChecks,
  ipAddress,
  limit,
  networks,
  portDefinitions,
  readinessChecks,
  share,
} from "./container-schema.ts";

const path = z.string().refine(isAbsolutePath, "must be an absolute path, as in /shop/db");
const environment = z.record(filled, z.union([z.string(), fields({}, { secret: filled })]));

/** An app definition as Marathon 1.5 and later take it, with the deprecated forms they translate (reference 1.4.1). */
export const appSchema = fields(
  {
    // Marathon says "must not be an empty string" of a single character too.
    cmd: z.string().min(2, "must be at least 2 characters long"),
    args: texts,
    instances: count,
    cpus: z.number().min(0.001),
    mem: amount,
    disk: amount,
    gpus: count,
    executor: z.string().regex(/^$|^\/\/cmd$|^\/?[^/]+(\/[^/]+)*$/, 'must be "", "//cmd" or a path'),
    executorResources: fields({
      cpus: z.number().min(0.1),
      mem: z.number().min(32),
      disk: z.number().min(10),
    }),
    resourceLimits: fields({ cpus: limit, mem: limit }),
    user: filled,
    tty: flag,
    taskKillGracePeriodSeconds: count,
    role: filled,
    acceptedResourceRoles: z.array(filled).min(1, "must not be empty; leave it out for every role"),
    env: environment,
    secrets: z.record(filled, fields({}, { source: filled })),
    labels: textMap,
    dependencies: z.array(path),
    constraints,
    fetch: fetches,
    uris: texts,
    networks,
    portDefinitions,
    ports: z.array(z.int().min(0).max(65_535)),
    requirePorts: flag,
    container,
    ipAddress,
    healthChecks,
    check: genericCheck,
    readinessChecks,
    backoffSeconds: count,
    backoffFactor: z.number().min(1),
    maxLaunchDelaySeconds: count,
    upgradeStrategy: fields({}, { minimumHealthCapacity: share, maximumOverCapacity: share }),
    killSelection: z.enum(["YOUNGEST_FIRST", "OLDEST_FIRST"]),
    unreachableStrategy: z.union([
      z.literal("disabled"),
      fields({ inactiveAfterSeconds: count, expungeAfterSeconds: count }),
    ]),
    residency: fields({ relaunchEscalationTimeoutSeconds: count, taskLostBehavior: filled }),
  },
  { id: z.string().refine(isAppId, ID_WORDS) },
);

export const MADE_BY_MARATHON = "Marathon makes this field itself; leave it out";

/** Keys people copy from an answer of Marathon, or from other kinds of documents. */
export const STRANGE_KEYS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...["version", "versionInfo", "tasks", "tasksStaged", "tasksRunning", "tasksHealthy", "tasksUnhealthy"],
      ...["deployments", "lastTaskFailure", "readinessCheckResults", "taskStats", "tasksStats"],
    ].map((key) => [key, MADE_BY_MARATHON]),
  ),
  storeUrls: "Marathon dropped it long ago; use `fetch`",
  containers: "a pod's list of containers; an app has one, under `container`",
};
