import { validRange } from "semver";
import { z } from "zod";
import { TAG } from "../reference.ts";

const LONGEST_PATTERN = 300;

const tag = z.string().regex(TAG, "must be an image tag; write it in quotes where it looks like a number");

const pattern = z
  .string()
  .max(LONGEST_PATTERN)
  .refine((source) => compiles(source), "must be a regular expression");

const written = z.strictObject({
  policy: z.enum(["semver", "numeric", "alphabetical", "exact", "digest"]).optional(),
  range: z
    .string()
    .refine(
      (range) => validRange(range) !== null,
      "must be a range of semantic versions, such as ~1.4 or >=2 <3",
    )
    .optional(),
  prerelease: z.boolean().optional(),
  tag: tag.optional(),
  match: pattern.optional(),
  digest: z.boolean().optional(),
  pin: tag.optional(),
});

/** Which settings go with which policy; the others would be silently of no use. */
const GOES_WITH: Readonly<Record<string, readonly string[]>> = {
  range: ["semver"],
  prerelease: ["semver"],
  tag: ["exact", "digest"],
  match: ["semver", "numeric", "alphabetical"],
};

/** What `deploy.yaml` says of one image under `images.<name>`. */
export const imageSchema = written.superRefine((given, context) => {
  const problem = (path: string, message: string) =>
    context.addIssue({ code: "custom", path: [path], message });
  const policy = given.policy ?? "none";
  for (const [name, policies] of Object.entries(GOES_WITH)) {
    if (given[name as keyof typeof given] === undefined || policies.includes(policy)) continue;
    problem(name, `goes with the policy ${policies.join(" or ")}`);
  }
  if (policy === "exact" && given.tag === undefined)
    problem("tag", "the policy exact needs it: which tag to follow");
  if (given.policy === undefined && given.pin === undefined)
    problem("policy", "says which tags are newer: semver, numeric, alphabetical, exact or digest");
});

export type WrittenImage = z.output<typeof written>;

export const IMAGE_KEYS: readonly string[] = Object.keys(written.shape);

function compiles(source: string): boolean {
  try {
    new RegExp(source, "u");
    return true;
  } catch {
    return false;
  }
}
