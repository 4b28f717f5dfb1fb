import { suggest } from "@sluice/core";
import { NOTICE_KINDS, SEVERITIES } from "@sluice/notifier/kinds";
import { z } from "zod";
import { duration, name, text } from "./settings.ts";

const perMinute = z
  .number()
  .int()
  .min(1)
  .max(600)
  .default(30)
  .meta({ description: "So many messages in a minute at the most; the others wait." });

const chat = <T extends string>(type: T, host: string) =>
  z.strictObject({
    type: z.literal(type),
    urlFile: text(`File with the webhook's address, as ${host} shows it: whoever knows it can write there.`),
    perMinute,
  });

const webAddress = (description: string) => z.url({ protocol: /^https?$/ }).meta({ description });

const mail = z
  .strictObject({
    type: z.literal("mail"),
    host: text("The SMTP server."),
    port: z.number().int().min(1).max(65_535).default(587).meta({ description: "Its port." }),
    tls: z.enum(["starttls", "implicit", "none"]).default("starttls").meta({
      description: "`starttls`: required; `implicit`: from the first byte, port 465; `none`: in the clear.",
    }),
    ca: text("File with the certificate authority to trust, PEM.").optional(),
    username: text("The account.").optional(),
    passwordFile: text("File with the account's password.").optional(),
    from: z
      .string()
      .regex(/^[^\r\n]*@[A-Za-z0-9.-]+>?$/, "must be a mail address")
      .meta({ description: "The sender: `Sluice <sluice@example.com>`." }),
    to: z
      .array(z.string().regex(/^[^\s,;]+@[^\s,;]+$/, "must be a mail address"))
      .min(1)
      .meta({ description: "Who is written to." }),
    perMinute,
  })
  .refine((one) => (one.username === undefined) === (one.passwordFile === undefined), {
    message: "`username` and `passwordFile` go together",
  })
  .refine((one) => one.tls !== "none" || one.username === undefined, {
    message: "a password is not sent without TLS",
  });

const webhook = z.strictObject({
  type: z.literal("webhook"),
  url: webAddress("Where events are posted to, as CloudEvents."),
  secretFile: text("File with the secret that signs each event. Absent: nothing is signed.").optional(),
  perMinute,
});

const commitHosts = ["github", "gitlab", "gitea", "bitbucket", "bitbucket-server"] as const;
const PUBLIC_APIS = {
  github: "https://api.github.com",
  gitlab: "https://gitlab.com",
  bitbucket: "https://api.bitbucket.org",
} as const;

const commitStatus = z
  .strictObject({
    type: z.literal("commit-status"),
    host: z.enum(commitHosts).meta({ description: "Who keeps the deploy repo; `gitea` is Forgejo too." }),
    api: webAddress(
      "The API's address, without `/api/v4` and the like. Absent: that of github.com, gitlab.com or bitbucket.org.",
    ).optional(),
    repository: z
      .string()
      .regex(/^[^/\s]+(\/[^/\s]+)+$/, "must be owner/name")
      .meta({ description: "`owner/name` of the deploy repo; at GitLab with all its groups." }),
    tokenFile: text("File with a token that may write commit statuses."),
    username: text("With it the token is sent as this account's password.").optional(),
    context: text("What statuses are called; the environment's name follows it.").default("deploy"),
    perMinute,
  })
  .refine(({ host, api }) => api !== undefined || host in PUBLIC_APIS, {
    path: ["api"],
    message: "this host has no public address; say where it is",
  });

const channel = z.discriminatedUnion("type", [
  chat("slack", "Slack"),
  chat("teams", "the workflow of Microsoft Teams"),
  chat("discord", "Discord"),
  mail,
  webhook,
  commitStatus,
]);

const patterns = (description: string) => z.array(z.string().min(1)).min(1).optional().meta({ description });

const route = z.strictObject({
  to: z.array(z.string()).min(1).meta({ description: "Names of `channels`." }),
  environments: patterns("Environments; `*` stands for any letters. Absent: all."),
  targets: patterns("Targets. Absent: all."),
  owners: patterns(
    "Teams, as job files name them under `owner`. Absent: all, also what is about no team's job.",
  ),
  events: patterns("Kinds of `docs/notifications.md`: `deployment.*`, `job.failed`. Absent: all."),
  severity: z.enum(SEVERITIES).default("info").meta({ description: "The least that is told." }),
});

const settings = z
  .strictObject({
    channels: z.record(name, channel).default({}).meta({ description: "Ways to tell, by name." }),
    routes: z
      .array(route)
      .optional()
      .meta({ description: "Who hears of what. Absent: every channel hears everything." }),
    gather: duration("10s", "How long news of jobs waits for more of its kind, to be one message."),
    repeat: duration("5m", "For how long the same news is told once."),
    giveUp: duration("24h", "After how long a message that nobody takes is given up."),
    url: webAddress("Where people look at deployments; linked from commit statuses.").optional(),
    notes: z.enum(["local", "all", "none"]).default("local").meta({
      description:
        "Whose commits get a note of how their deployment ended (`docs/audit.md`): of repositories on this machine, of all (`all` pushes to `refs/notes/deployments`), or none.",
    }),
  })
  .superRefine(({ channels, routes = [] }, context) => {
    const names = Object.keys(channels);
    const kinds = Object.keys(NOTICE_KINDS);
    for (const [at, { to, events = [] }] of routes.entries()) {
      for (const [place, one] of to.entries())
        if (!names.includes(one))
          context.addIssue({
            code: "custom",
            path: ["routes", at, "to", place],
            message: `there is no channel "${one}"${suggest(one, names)}`,
          });
      for (const [place, one] of events.entries())
        if (!one.includes("*") && !kinds.includes(one))
          context.addIssue({
            code: "custom",
            path: ["routes", at, "events", place],
            message: `there is no event "${one}"${suggest(one, kinds)}`,
          });
    }
  });

export const notify = settings
  .optional()
  .meta({ description: "Tells people and programs what happened: `docs/notifications.md`." });

export type NotifyConfig = z.output<typeof settings>;
export type ChannelConfig = NotifyConfig["channels"][string];

/** Where a host's API is, given or public. */
export function apiOf({ api, host }: Extract<ChannelConfig, { type: "commit-status" }>): string {
  return api ?? PUBLIC_APIS[host as keyof typeof PUBLIC_APIS];
}
