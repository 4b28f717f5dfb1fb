import { z } from "zod";
import { layout, layoutConflicts } from "./layout.ts";
import { duration, name, text, tls } from "./settings.ts";
import { sourceAccess } from "./source-access.ts";

const globs = (description: string) =>
  z
    .array(
      z
        .string()
        .min(1)
        .refine(
          (glob) => !/^[!/]/.test(glob),
          "is matched from the source's folder on: no ! or / at its start",
        ),
    )
    .meta({
      description: `${description} \`*\` stays within a folder, \`**\` crosses folders, a slash at the end means all below.`,
    });

const targetSettings = z.strictObject({
  type: z.enum(["marathon", "chronos", "swarm"]).meta({ description: "The scheduler's kind." }),
  addresses: z
    .array(z.url({ protocol: /^(https?|tcp|unix)$/ }))
    .min(1)
    .optional()
    .meta({
      description:
        "The scheduler's addresses, tried in order. Absent: the embedded one; of Swarm the Docker of this machine, `unix:///var/run/docker.sock`. Swarm also takes `tcp://manager:2376`, with TLS where `ca` or `cert` is given.",
    }),
  username: text("User for basic authentication.").optional(),
  passwordFile: text("File that holds the password.").optional(),
  tokenFile: text("File that holds a token, sent as `Authorization: token=…`.").optional(),
  registryAuthFile: text(
    "Of Swarm: a Docker `config.json`, with whose `auths` its nodes pull images. It goes to the swarm with every service.",
  ).optional(),
  ...tls,
  concurrency: z
    .number()
    .int()
    .min(1)
    .max(64)
    .default(8)
    .meta({ description: "How many jobs are written at the same time." }),
  wait: duration("5m", "How long a job may take to become healthy, unless its file says otherwise."),
  heal: z
    .boolean()
    .default(true)
    .meta({ description: "Put back what somebody changed in the scheduler; false: only report it." }),
});

/** Docker is reached by sockets too, and knows clients by their certificates alone. */
const target = targetSettings.superRefine(({ type, addresses, username, tokenFile }, context) => {
  const problem = (message: string, ...path: (string | number)[]) =>
    context.addIssue({ code: "custom", message, path });
  if (type === "swarm") {
    if (username !== undefined)
      problem("Docker knows clients by their certificates: give cert and key", "username");
    if (tokenFile !== undefined)
      problem("Docker knows clients by their certificates: give cert and key", "tokenFile");
    return;
  }
  for (const [at, address] of (addresses ?? []).entries())
    if (!/^https?:/.test(address)) problem("must be an http or https address", "addresses", at);
});

const branchPattern = z
  .string()
  .regex(
    /^[^\s~^:\\[\]{}]+$/,
    "must be a branch's name in which `*` stands for any characters but `/`, `**` for any, `?` for one",
  )
  .meta({ description: "A pattern of branch names." });

const sourceSettings = z.strictObject({
  repository: text(
    "The deploy repo: a path or an http(s), ssh or file URL. Absent: a repository that this engine keeps in its data folder and serves as `/<environment's repo>.git`.",
  ).optional(),
  branch: z.string().min(1).optional().meta({
    description: "The branch whose newest commit is what should run.",
    default: "main",
  }),
  branches: z.array(branchPattern).min(1).optional().meta({
    description:
      "Patterns, such as `feature/*`, in place of `branch`: each branch that matches one becomes an environment of its own, `<environment>-<branch>`. `*` stands for any characters but `/`, `**` for any, `?` for one. See `docs/branches.md`.",
  }),
  mostBranches: z.number().int().min(1).max(1_000).default(100).meta({
    description: "Of `branches`: how many environments they make at the most.",
  }),
  vanished: z
    .strictObject({
      grace: duration("10m", "How long a branch must be gone before what was mirrored of it is removed."),
      listings: z.number().int().min(2).max(1_000).default(3).meta({
        description: "In how many whole lists of branches in a row it must be missing.",
      }),
    })
    .prefault({})
    .meta({ description: "Of `branches`: what happens when a branch is deleted." }),
  path: text(
    "The folder of the repository that is this environment; the whole of it when absent.",
  ).optional(),
  include: globs("Only files that one of these globs matches, such as `apps/**`, are mirrored.").optional(),
  exclude: globs(
    "Files that one of these globs matches, such as `**/*.md` or `docs/`, are left out.",
  ).optional(),
  aliases: z.array(text("An address of the repository.")).default([]).meta({
    description:
      "Other addresses of the same repository, such as its public one, for webhooks that name it so. Only for matching; nothing is fetched from them.",
  }),
  ...sourceAccess,
  interval: duration(
    "30s",
    "How often the branch is looked at when no hook and no watch says that it moved.",
  ),
});

/** One branch or several; which branch where none is named can only be said once it is known that none is. */
const source = sourceSettings
  .refine((given) => given.branch === undefined || given.branches === undefined, {
    message: "give `branch` or `branches`, not both",
    path: ["branches"],
  })
  .transform((given) => ({ ...given, branch: given.branch ?? "main" }));

const environmentSettings = z.strictObject({
  source: source.prefault({}).meta({ description: "Where the desired state comes from." }),
  targets: z.record(name, target).default({}).meta({
    description:
      "Where jobs run, by name; a target's files are in the folder of that name unless `deploy.yaml` says otherwise.",
  }),
  deploy: z.boolean().optional().meta({
    description:
      "Whether jobs are deployed; false: files are mirrored and pushes are checked, no more. Default: true, but false for an environment of several `branches`.",
  }),
  driftInterval: duration("60s", "How often everything that runs is compared with what should run."),
  owner: text(
    "The value of the mark on every job made for this environment. Default: `<prefix>-<environment>`. Changing it restarts jobs.",
  ).optional(),
  layout: layout.optional(),
});

/** What is deployed from where to where. */
export const environment = environmentSettings.superRefine((given, context) => {
  for (const problem of layoutConflicts(given)) context.addIssue({ code: "custom", ...problem });
});
