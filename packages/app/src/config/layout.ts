import { z } from "zod";

/** The rules of lists, as `LIST_RULES` of the mirror has them: told here again, so that a configuration loads no service. */
const ARRAYS = ["index", "json", "join", "ignore"] as const;

const path = (description: string) =>
  z
    .string()
    .regex(
      /^(?!\.{1,2}(\/|$))[^/]+(\/(?!\.{1,2}(\/|$))[^/]+)*$/,
      'must be a path without slashes around it and without empty, "." or ".." parts',
    )
    .meta({ description });

const flag = (standard: boolean, description: string) => z.boolean().default(standard).meta({ description });

/** Files as keys among keys of others, laid out as git2consul does. */
export const layout = z
  .strictObject({
    prefix: path(
      "What every key starts with, such as `config/shop/master`. Absent: nothing, so keys start at the top of the KV.",
    ).optional(),
    sourceRoot: path(
      "Only files below this folder become keys, and it is no part of them. Unlike with `source.path`, `commonProperties` may be outside of it.",
    ).optional(),
    expand: flag(
      false,
      "`.json`, `.yaml`, `.yml` and `.properties` files become a key per value: `<file>/<key>/<key>`.",
    ),
    dropExtensions: flag(false, "Leaves those extensions out of the keys of the files that are expanded."),
    arrays: z.enum(ARRAYS).default("index").meta({
      description:
        "A list in an expanded file becomes a key per item, named 0, 1, …; one key with the list as JSON; one key with the items and commas between; or nothing. A list that is the whole file is named by places under `ignore`, too.",
    }),
    invalid: z.enum(["refuse", "raw"]).default("refuse").meta({
      description:
        "What a file does that cannot be expanded: it refuses the revision, so that the one before stays, or becomes one key with its content.",
    }),
    trim: flag(false, "Takes white space off both ends of text files that are not expanded."),
    commonProperties: path(
      "A `.properties` file whose values the others may name, a dollar sign and braces around the name; its path is from the top of the source.",
    ).optional(),
    ref: path(
      "The key in which git2consul kept the commit it had mirrored. At the first run, keys of files deleted since that commit are removed.",
    ).optional(),
    writeRef: flag(false, "Keeps the key `ref` up to date, for readers that wait for it."),
  })
  .meta({
    description:
      "Puts the files at keys of your choice, among keys of others, as git2consul does (`docs/from-git2consul.md`). Only without `targets` and with one branch. Absent: they are below `<prefix>/<environment>/files/`.",
  });

export type LayoutConfig = z.output<typeof layout>;

/** What of an environment does not go with a layout of its own. */
export function layoutConflicts(environment: {
  readonly layout?: LayoutConfig | undefined;
  readonly targets: object;
  readonly deploy?: boolean | undefined;
  readonly source: { readonly branches?: readonly string[] | undefined };
}): { path: string[]; message: string }[] {
  if (!environment.layout) return [];
  const problems: { path: string[]; message: string }[] = [];
  if (Object.keys(environment.targets).length > 0 || environment.deploy)
    problems.push({
      path: ["layout"],
      message: "an environment with a layout is only mirrored: it has no targets",
    });
  if (environment.source.branches)
    problems.push({ path: ["layout"], message: "a layout is of one branch: give `source.branch`" });
  if (environment.layout.writeRef && environment.layout.ref === undefined)
    problems.push({ path: ["layout", "writeRef"], message: "needs `ref`, the key to write" });
  return problems;
}
