import { z } from "zod";
import { duration, name, text, tls } from "./settings.ts";

const jenkins = z
  .strictObject({
    type: z.literal("jenkins"),
    url: z
      .url({ protocol: /^https?$/ })
      .meta({ description: "Jenkins' address, with its path prefix if it has one." }),
    job: z
      .string()
      .regex(/^[^/]+(\/[^/]+)*$/, "must be a job's name with its folders, such as team/shop")
      .meta({ description: "The job, with its folders: `team/shop`." }),
    username: text("The account that begins builds."),
    tokenFile: text("File with the account's API token.").optional(),
    passwordFile: text("File with the account's password, where there is no API token.").optional(),
    parameters: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string())
      .default({})
      .meta({
        description:
          "Sent with every build, beside `SLUICE_BUILD_ID`, `SLUICE_APP`, `SLUICE_COMMIT`, `SLUICE_BRANCH` and `SLUICE_REPOSITORY`.",
      }),
    ...tls,
  })
  .refine(
    ({ tokenFile, passwordFile }) => (tokenFile === undefined) !== (passwordFile === undefined),
    "needs either tokenFile or passwordFile",
  );

const endpoint = z.strictObject({
  type: z.literal("http"),
  url: z
    .url({ protocol: /^https?$/ })
    .meta({ description: "Where a build is asked for, as `docs/builds.md` describes." }),
  secretFile: text("File with the secret that signs each request."),
  ...tls,
});

const build = z.strictObject({
  branches: z
    .array(z.string().min(1))
    .min(1)
    .default(["**"])
    .meta({ description: "Branches whose pushes are built; `*` and `**` stand for any." }),
  ci: z.discriminatedUnion("type", [jenkins, endpoint]).meta({ description: "What builds." }),
  timeout: duration("2h", "How long a build may take, from its push to its end."),
});

export const builds = z
  .record(name, build)
  .default({})
  .meta({ description: "Apps whose pushes begin a build, by name: `docs/builds.md`." });

export type BuildConfig = z.output<typeof build>;
