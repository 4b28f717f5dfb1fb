import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type CommitId, type CommitRequest, commitId, type ObjectId, type Person } from "@sluice/core";
import { type GitProgram, runGit } from "../program.ts";

/** The key commits are signed with, by the programs git itself uses. */
export type SigningKey =
  | {
      readonly format: "ssh";
      /** File with the private key, without a passphrase: nobody is asked. */
      readonly keyFile: string;
    }
  | {
      readonly format: "openpgp";
      /** The key's id or fingerprint. */
      readonly keyId: string;
      /** GnuPG's folder. Default: the user's own. */
      readonly home?: string;
    };

export interface CommitMaker {
  readonly program: GitProgram;
  readonly committer: Person;
  readonly signing: SigningKey | undefined;
}

/**
 * Writes the commit into the scratch repository.
 * @throws GIT_FAILED, also where the key cannot be used.
 */
export async function makeCommit(
  scratch: string,
  tree: ObjectId,
  { parent, message, author }: CommitRequest,
  { program, committer, signing }: CommitMaker,
  signal: AbortSignal | undefined,
): Promise<CommitId> {
  const words = join(scratch, "message");
  await writeFile(words, `${message.trimEnd()}\n`);
  const date = `@${Math.floor(program.clock.now() / 1000)} +0000`;
  const env = {
    ...named("AUTHOR", author ?? committer, date),
    ...named("COMMITTER", committer, date),
    ...(signing?.format === "openpgp" && signing.home ? { GNUPGHOME: signing.home } : {}),
  };
  const { settings, flags } = signingWords(signing);
  const args = [
    `--git-dir=${scratch}`,
    ...settings,
    "commit-tree",
    ...flags,
    "-p",
    parent,
    "-F",
    words,
    tree,
  ];
  return commitId(await runGit(program, args, { env, ...(signal ? { signal } : {}) }));
}

function named(role: "AUTHOR" | "COMMITTER", person: Person, date: string): NodeJS.ProcessEnv {
  return {
    [`GIT_${role}_NAME`]: person.name,
    [`GIT_${role}_EMAIL`]: person.email,
    [`GIT_${role}_DATE`]: date,
  };
}

function signingWords(signing: SigningKey | undefined): { settings: string[]; flags: string[] } {
  if (signing === undefined) return { settings: [], flags: [] };
  const key = signing.format === "ssh" ? signing.keyFile : signing.keyId;
  return {
    settings: ["-c", `gpg.format=${signing.format}`, "-c", `user.signingKey=${key}`],
    flags: ["-S"],
  };
}
