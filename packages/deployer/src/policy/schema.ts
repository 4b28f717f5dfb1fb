import { parseDuration } from "@sluice/core";
import { z } from "zod";

const limits = z.strictObject({
  maxJobs: z.int().min(0).optional(),
  maxPercent: z.number().min(0).max(100).optional(),
});

const prune = z.union([z.literal("never"), limits], { error: 'must be "never" or { maxJobs, maxPercent }' });

const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, 'must be a duration such as "90s", "2m" or "1h30m"');

const target = z.strictObject({
  folder: z.string().optional(),
  dependsOn: z.array(z.string()).optional(),
  owner: z.string().min(1).optional(),
  prune: prune.optional(),
  wait: duration.optional(),
  heal: z.boolean().optional(),
  suspend: z.boolean().optional(),
});

/** `deploy.yaml` as it is written. */
export const policySchema = z.strictObject({
  targets: z.record(z.string(), target.nullable()).optional(),
  prune: prune.optional(),
});

export type WrittenPolicy = z.infer<typeof policySchema>;
export type WrittenPrune = z.infer<typeof prune>;

const KNOWN = {
  top: ["targets", "prune"],
  target: ["folder", "dependsOn", "owner", "prune", "wait", "heal", "suspend"],
  prune: ["maxJobs", "maxPercent"],
};

/** The keys a mapping at this path may have, for suggestions. */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return KNOWN.top;
  return path.at(-1) === "prune" ? KNOWN.prune : KNOWN.target;
}
