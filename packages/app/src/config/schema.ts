import { z } from "zod";
import { builds } from "./builds-schema.ts";
import { commits } from "./commits-schema.ts";
import { environment } from "./environment-schema.ts";
import { notify } from "./notifier-schema.ts";
import { registrar } from "./registrar-schema.ts";
import { router } from "./router-schema.ts";
import { duration, name, port, text, tls } from "./settings.ts";
import { limits } from "./source-access.ts";

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
  registry: z
    .strictObject({
      secretFile: text(
        "File with the secret that the registry sends along: as `Authorization: Bearer …`, as that header's whole value, as a password, or, where it can send no header, as `?token=…`; several, one a line, are all accepted.",
      ),
      host: text(
        "What the registry is called in image names, such as `registry.example:5000`. Absent: as its notifications call it. For Docker's own registry only; the others name themselves.",
      ).optional(),
    })
    .optional()
    .meta({
      description:
        "Notifications of image registries, at `/hooks/registry`: Docker's registry, Docker Hub, Harbor and Quay (`docs/images.md`). Absent: they are refused.",
    }),
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
  commits,
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
  builds,
  registrar,
  router,
  notify,
  environments: z
    .record(name, environment.prefault({}))
    .refine((all) => Object.keys(all).length > 0, "needs at least one environment")
    .superRefine(leaveRoomForBranches)
    .default(() => ({
      production: environment.parse({ targets: { apps: { type: "marathon" }, cron: { type: "chronos" } } }),
    }))
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
