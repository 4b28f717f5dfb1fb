import { HEALTHS, REASONS } from "@sluice/core";
import { z } from "zod";

const reason = z.enum(Object.keys(REASONS) as [string, ...string[]]);
const time = z.string().meta({ description: "ISO 8601, UTC." });
const revision = z.string().meta({ description: "<branch>@sha1:<40 hex>" });
const health = z.enum(HEALTHS);
const loose = z.looseObject({});

const suspendedOne = z.strictObject({
  what: z.enum(["environment", "target", "job"]),
  name: z.string(),
  by: z.string().optional(),
  why: z.string().optional(),
  since: time.optional(),
});

const counts = z.strictObject({
  jobs: z.int(),
  healthy: z.int(),
  progressing: z.int(),
  failed: z.int(),
  created: z.int(),
  updated: z.int(),
  pruned: z.int(),
});

const deployment = z.looseObject({
  attempted: revision,
  applied: revision.optional(),
  state: z.enum(["progressing", "healthy", "degraded", "stalled"]),
  reason,
  message: z.string(),
  counts,
  startedAt: time,
  finishedAt: time.optional(),
  syncedToken: time.optional(),
});

const marker = z.looseObject({ state: z.enum(["synced", "applying"]), revision, files: z.int(), at: time });

const view = {
  name: z.string(),
  repository: z.string(),
  branch: z.string(),
  pattern: z.string().optional(),
  deploys: z.boolean(),
  targets: z.record(z.string(), z.string()),
  marker: marker.optional(),
  deployment: deployment.optional(),
  suspended: z.array(suspendedOne),
  refused: z
    .strictObject({ revision, problems: z.array(z.looseObject({ file: z.string(), message: z.string() })) })
    .optional(),
  problem: z.string().optional(),
};

const job = z.looseObject({
  key: z.string(),
  file: z.string().optional(),
  sync: z.enum(["Synced", "OutOfSync", "Unknown"]),
  health,
  reason,
  message: z.string(),
  attempted: revision.optional(),
  applied: revision.optional(),
  since: time,
});
const unreadable = z.strictObject({ key: z.string(), problem: z.string() });
const change = z.strictObject({
  kind: z.enum(["create", "update", "prune"]),
  key: z.string(),
  fields: z.array(z.strictObject({ path: z.string(), from: z.json().optional(), to: z.json().optional() })),
});

export const environments = z.strictObject({ environments: z.array(z.strictObject(view)) });
export const environment = z.strictObject({ ...view, jobs: z.array(z.union([job, unreadable])) });
export const suspended = z.strictObject({ suspended: z.array(suspendedOne) });
export const sync = z.strictObject({
  at: time,
  retry: z.boolean(),
  prune: z.array(z.string()),
  from: z.strictObject({ mirror: z.int(), deployer: z.int() }),
});
export const diff = z.strictObject({
  revision: revision.optional(),
  jobs: z.int(),
  changes: z.array(change),
  refused: z.array(z.looseObject({ key: z.string(), reason, message: z.string() })),
  problems: z.array(z.looseObject({ file: z.string(), reason, message: z.string() })),
  unknown: z.array(z.strictObject({ target: z.string(), message: z.string() })),
  waiting: z.string().optional(),
});
export const events = z.strictObject({
  events: z.array(
    z.strictObject({
      cursor: z.string(),
      event: z.looseObject({ type: z.string(), environment: z.string(), at: time }),
    }),
  ),
  cursor: z.string(),
});
export const history = z.strictObject({
  job: z.string(),
  file: z.string(),
  entries: z.array(
    z.strictObject({
      revision,
      commit: z.looseObject({ commit: z.string(), author: z.string(), at: time, subject: z.string() }),
      change: z.enum(["created", "updated", "moved", "deleted", "unreadable"]),
      file: z.string(),
      outcome: z.looseObject({ state: z.enum(["healthy", "failed", "superseded", "unknown"]) }),
    }),
  ),
  complete: z.boolean(),
  problem: z.string().optional(),
});
export const commit = z.strictObject({
  environment: z.string(),
  parent: z.string(),
  message: z.string(),
  files: z.array(z.string()),
  changes: z.array(change),
  revision: revision.optional(),
});
export const branches = z.strictObject({ environments: z.array(loose) });
export const images = z.strictObject({ images: z.array(loose), problems: z.array(z.string()) });
export const builds = z.strictObject({ builds: z.array(loose) });
export const healthAnswer = z.looseObject({ status: z.string() });
export const failure = z.strictObject({
  code: z.string().meta({ description: "A code of docs/errors.md." }),
  message: z.string(),
  hint: z.string(),
});
