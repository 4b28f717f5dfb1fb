import {
  DEFAULT_JOB_OPTIONS,
  type JobKey,
  type JobOptions,
  type Json,
  jobId,
  jobKey,
  parseDuration,
  suggest,
  type TargetName,
  targetName,
} from "@sluice/core";
import { z } from "zod";
import { type Complaint, complaintsOf } from "./complaint.ts";
import { listIn, objectIn, textIn } from "./reading.ts";
import { fields, filled, flag } from "./schema.ts";

const waiting = z
  .unknown()
  .refine(
    (wait) => wait === false || (typeof wait === "string" && parseDuration(wait) !== undefined),
    'must be false or a duration with its unit, such as "90s", "2m" or "1h30m"',
  );

const optionsSchema = fields({
  dependsOn: z.array(filled),
  wait: waiting,
  onFailure: z.enum(["hold", "rollback"]),
  prune: z.enum(["auto", "never"]),
  ignore: z.array(filled),
  owner: filled,
  adopt: flag,
});

/** What the block `sluice:` of a job says, and what is wrong with it; paths begin with `sluice`. */
export interface ReadOptions {
  readonly options: JobOptions;
  readonly complaints: readonly Complaint[];
}

/**
 * Reads the block `sluice:` of a job.
 * @param topKeys the fields a job of this format has, for `ignore`.
 */
export function readOptions(
  block: Json | undefined,
  target: TargetName,
  topKeys: readonly string[],
): ReadOptions {
  if (block === undefined || block === null) return { options: DEFAULT_JOB_OPTIONS, complaints: [] };
  const found: Complaint[] = complaintsOf(optionsSchema, block).map((one) => ({
    ...one,
    path: ["sluice", ...one.path],
  }));
  const given = objectIn(block) ?? {};
  const dependsOn = listIn(given.dependsOn).flatMap((entry, at) => {
    const key = typeof entry === "string" && entry !== "" ? dependencyKey(entry, target) : undefined;
    if (key === undefined && typeof entry === "string" && entry !== "")
      found.push({ path: ["sluice", "dependsOn", at], ...NO_KEY });
    return key ?? [];
  });
  found.push(...strangeIgnores(given.ignore, topKeys));
  return {
    complaints: found,
    options: {
      dependsOn: [...new Set(dependsOn)],
      waitMs: waitOf(given.wait),
      onFailure: given.onFailure === "rollback" ? "rollback" : "hold",
      prune: given.prune === "never" ? "never" : "auto",
      ignore: listIn(given.ignore).filter((path) => typeof path === "string"),
      owner: textIn(given.owner),
      adopt: given.adopt === true,
    },
  };
}

const NO_KEY = {
  message: "is no job",
  hint: "write `<target>/<id>`, or `./<id>` for a job of the same target",
};

/**
 * `<target>/<id>` is a key; `./<id>`, `/<id>` and an id without a slash mean a job of the same target. Marathon's ids hold
 * slashes themselves, so `shop/db` is the job `db` of the target `shop`, and `./shop/db` the neighbour.
 */
function dependencyKey(entry: string, target: TargetName): JobKey | undefined {
  const local = /^\.?\/+/.exec(entry)?.[0].length;
  const rest = local === undefined ? entry : entry.slice(local);
  if (rest === "" || rest.endsWith("/")) return undefined;
  if (local !== undefined || !rest.includes("/")) return jobKey(target, jobId(rest));
  const cut = rest.indexOf("/");
  try {
    return jobKey(targetName(rest.slice(0, cut)), jobId(rest.slice(cut + 1)));
  } catch {
    return undefined;
  }
}

function waitOf(wait: Json | undefined): number | undefined {
  if (wait === false) return 0;
  return typeof wait === "string" ? parseDuration(wait) : undefined;
}

function strangeIgnores(ignore: Json | undefined, topKeys: readonly string[]): Complaint[] {
  return listIn(ignore).flatMap((path, at) => {
    if (typeof path !== "string" || path === "") return [];
    const head = path.split(".")[0] ?? "";
    if (topKeys.includes(head)) return [];
    return [
      {
        path: ["sluice", "ignore", at],
        message: `no field of the job is named "${head}"${suggest(head, topKeys)}`,
      },
    ];
  });
}
