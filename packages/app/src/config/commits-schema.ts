import { z } from "zod";
import { text } from "./settings.ts";

/** In whose name Sluice commits to deploy repos, and with which key. */
export const commits = z
  .strictObject({
    name: text("The committer's name, and the author's where no person asked for the commit.").default(
      "Sluice",
    ),
    email: text("The committer's address.").default("sluice@localhost"),
    signingKeyFile: text(
      "File with a private SSH key, without a passphrase, that commits are signed with.",
    ).optional(),
    openpgpKey: text("Id of an OpenPGP key, in place of an SSH key; `gpg` has to be installed.").optional(),
    openpgpHome: text("GnuPG's folder. Absent: the user's own.").optional(),
  })
  .superRefine((given, context) => {
    if (given.signingKeyFile && given.openpgpKey)
      context.addIssue({
        code: "custom",
        path: [],
        message: "give `signingKeyFile` or `openpgpKey`, not both",
      });
  })
  .prefault({})
  .meta({ description: "Commits that Sluice makes: image versions, rollbacks, promotions, pins." });

export type CommitsConfig = z.output<typeof commits>;
