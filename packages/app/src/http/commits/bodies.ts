import { z } from "zod";

/** Who asked, where they did not say. */
export const NOBODY = "somebody";

const text = z.string().trim().min(1).max(500);
const common = {
  why: text.optional(),
  by: z
    .string()
    .regex(/^[^<>\p{Cc}]{1,100}$/u, "must be a name without <, > and control characters")
    .default(NOBODY),
  parent: z
    .string()
    .regex(/^[0-9a-f]{40}$/, "must be a commit's id")
    .optional()
    .meta({ description: "The `parent` of the plan that was agreed to; without it nothing is committed." }),
};

export const rollbackBody = z.strictObject({ job: text.optional(), to: text, ...common });
export const promotionBody = z.strictObject({ what: text, from: text, ...common });
