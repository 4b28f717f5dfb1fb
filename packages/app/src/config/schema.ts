import { z } from "zod";
import { parseDuration } from "./duration.ts";
import { layout, layoutConflicts } from "./layout.ts";
import { limits, sourceAccess } from "./source-access.ts";

const duration = (standard: string, description: string) =>
  z
    .string()
    .refine((text) => parseDuration(text) !== undefined, "must be a duration such as 500ms, 30s, 5m or 2h")
    .default(standard)
    .meta({ description });

const port = (standard: number, description: string) =>
  z.number().int().min(0).max(65_535).default(standard).meta({ description });

const text = (description: string) => z.string().min(1).meta({ description });

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

const name = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    "must be lower-case letters, digits and inner hyphens, at most 63",
  );

const tls = {
  ca: text("File with the certificate authority to trust, PEM.").optional(),
  cert: text("File with the client certificate, PEM.").optional(),
  key: text("File with the client certificate's key, PEM.").optional(),
};

const consul = z
  .strictObject({
    address: z
      .url({ protocol: /^https?$/ })
      .meta({ description: "Where Consul's HTTP API answers: `http://127.0.0.1:8500`." }),
    datacenter: text("The datacenter to ask; Consul's own when absent.").optional(),
    tokenFile: text("File that holds the ACL token.").optional(),
    ...tls,
  })
  .meta({ description: "The Consul to use. Absent: the embedded one, kept in the data folder." });

const target = z.strictObject({
  type: z.enum(["marathon", "chronos"]).meta({ description: "The scheduler's kind." }),
  addresses: z
    .array(z.url({ protocol: /^https?$/ }))
    .min(1)
    .optional()
    .meta({ description: "The scheduler's addresses, tried in order. Absent: the embedded one." }),
  username: text("User for basic authentication.").optional(),
  passwordFile: text("File that holds the password.").optional(),
  tokenFile: text("File that holds a token, sent as `Authorization: token=…`.").optional(),
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

const environment = environmentSettings.superRefine((given, context) => {
  for (const problem of layoutConflicts(given)) context.addIssue({ code: "custom", ...problem });
});

const webhook = (host: string) =>
  z
    .strictObject({
      secretFile: text(
        "File with the secret that is also set at the sender's; several, one a line, are all accepted.",
      ),
    })
    .optional()
    .meta({ description: `Webhooks of ${host}. Absent: they are refused.` });

const webhooks = z.strictObject({
  github: webhook("GitHub, at `/hooks/github`"),
  gitlab: webhook("GitLab, at `/hooks/gitlab`"),
  gitea: webhook("Gitea and Forgejo, at `/hooks/gitea`"),
  bitbucket: webhook("Bitbucket Cloud, at `/hooks/bitbucket`"),
  "bitbucket-server": webhook("Bitbucket Data Center and Server, at `/hooks/bitbucket-server`"),
  maxBodyBytes: z
    .number()
    .int()
    .min(1024)
    .max(256 * 1024 * 1024)
    .default(25 * 1024 * 1024)
    .meta({ description: "The largest body a webhook may have. The default is the most GitHub sends." }),
});

/** Everything `sluice.yaml` may say. The reference page, the JSON schema and the checks come from this one table. */
export const configSchema = z.strictObject({
  dataDir: text(
    "Folder for what the engine keeps on this machine: embedded servers, clones, hosted repositories.",
  ).default(".sluice"),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/, "must be a KV path such as sluice or platform/sluice")
    .default("sluice")
    .meta({ description: "Prefix of everything Sluice keeps in Consul." }),
  http: z
    .strictObject({
      host: text("Address to listen on.").default("127.0.0.1"),
      port: port(7420, "Port of the API, the hooks, the metrics and the hosted repositories."),
      tokenFile: text(
        "File with a token that every request must bear but health checks and webhooks, which are signed. Needed when `host` is not a loopback address.",
      ).optional(),
    })
    .prefault({})
    .meta({ description: "Sluice's own HTTP server." }),
  webhooks: webhooks
    .prefault({})
    .meta({ description: "Git hosts that tell this engine of pushes: `docs/webhooks.md`." }),
  consul: consul.optional(),
  embedded: z
    .strictObject({
      consulPort: port(7421, "Port of the embedded Consul."),
      marathonPort: port(7422, "Port of the embedded Marathon."),
      chronosPort: port(7423, "Port of the embedded Chronos."),
    })
    .prefault({})
    .meta({ description: "Ports of the embedded servers, all on 127.0.0.1. 0 means any free port." }),
  lock: z
    .strictObject({
      ttl: duration(
        "15s",
        "How long a leader may be silent before another takes over (Consul: at least 10s).",
      ),
      delay: duration("5s", "How long after a leader was lost nobody may lead."),
    })
    .prefault({})
    .meta({ description: "Leader election." }),
  limits,
  environments: z
    .record(name, environment.prefault({}))
    .refine((all) => Object.keys(all).length > 0, "needs at least one environment")
    .superRefine(leaveRoomForBranches)
    .default({
      production: environment.parse({ targets: { apps: { type: "marathon" }, cron: { type: "chronos" } } }),
    })
    .meta({ description: "What is deployed from where to where, by name." }),
});

/** The longest name of an environment of several branches: what follows it has 63 characters with it. */
const LONGEST_PATTERNED_NAME = 40;

/** `<environment>-<branch>` must be no other environment's name, whatever branches there will be. */
function leaveRoomForBranches(
  all: Readonly<Record<string, z.output<typeof environment>>>,
  context: z.RefinementCtx,
): void {
  const problem = (name: string, message: string) =>
    context.addIssue({ code: "custom", path: [name], message });
  for (const [name, { source, layout }] of Object.entries(all)) {
    if (source.branches === undefined) continue;
    if (layout)
      problem(name, "a `layout` puts the files of all `branches` under the same keys; name one branch");
    if (name.length > LONGEST_PATTERNED_NAME)
      problem(
        name,
        `the name of an environment with \`branches\` has at most ${LONGEST_PATTERNED_NAME} characters`,
      );
    for (const other of Object.keys(all)) {
      if (other.startsWith(`${name}-`))
        problem(other, `names that begin with "${name}-" are kept for the branches of ${name}`);
    }
  }
}

/** The configuration with every default filled in. */
export type Config = z.output<typeof configSchema>;
export type EnvironmentConfig = Config["environments"][string];
export type TargetConfig = EnvironmentConfig["targets"][string];
