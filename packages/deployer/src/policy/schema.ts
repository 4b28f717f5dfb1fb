import { parseDuration } from "@sluice/core";
import { z } from "zod";
import { isTimezone, parseWindow, WINDOW_FORM } from "./windows.ts";

const duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, 'must be a duration such as "90s", "2m" or "1h30m"');

const limits = z.strictObject({
  maxJobs: z.int().min(0).optional(),
  maxPercent: z.number().min(0).max(100).optional(),
  grace: duration.optional(),
});

const prune = z.union([z.literal("never"), limits], {
  error: 'must be "never" or { maxJobs, maxPercent, grace }',
});

const window = z
  .strictObject({
    allow: z.string().optional(),
    deny: z.string().optional(),
    timezone: z.string().refine(isTimezone, 'must be a time zone such as "Europe/Berlin"').optional(),
  })
  .superRefine(({ allow, deny }, context) => {
    if ((allow === undefined) === (deny === undefined))
      context.addIssue({ code: "custom", message: "a window has either `allow` or `deny`" });
    for (const [kind, text] of Object.entries({ allow, deny }))
      if (text !== undefined && !parseWindow("allow", text, "UTC"))
        context.addIssue({ code: "custom", path: [kind], message: WINDOW_FORM });
  });

const windows = z.array(window);

const target = z.strictObject({
  folder: z.string().optional(),
  dependsOn: z.array(z.string()).optional(),
  owner: z.string().min(1).optional(),
  prune: prune.optional(),
  wait: duration.optional(),
  heal: z.boolean().optional(),
  suspend: z.boolean().optional(),
  windows: windows.optional(),
});

/** `deploy.yaml` as it is written. */
export const policySchema = z.strictObject({
  targets: z.record(z.string(), target.nullable()).optional(),
  prune: prune.optional(),
  windows: windows.optional(),
  /** For the image updater, which judges it. */
  images: z.record(z.string(), z.unknown()).nullable().optional(),
});

export type WrittenPolicy = z.infer<typeof policySchema>;
export type WrittenPrune = z.infer<typeof prune>;
export type WrittenWindows = z.infer<typeof windows>;

const KNOWN = {
  top: ["targets", "prune", "windows", "images"],
  target: ["folder", "dependsOn", "owner", "prune", "wait", "heal", "suspend", "windows"],
  prune: ["maxJobs", "maxPercent", "grace"],
  window: ["allow", "deny", "timezone"],
};

/** The keys a mapping at this path may have, for suggestions. */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return KNOWN.top;
  if (typeof path.at(-1) === "number") return KNOWN.window;
  return path.at(-1) === "prune" ? KNOWN.prune : KNOWN.target;
}
