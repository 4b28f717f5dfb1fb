import { type CommitId, isSluiceError, redact, SluiceError } from "@sluice/core";
import { type GitProgram, runGit } from "../program.ts";
import type { RemoteAccess } from "../remote/access.ts";
import { readCredential } from "../remote/access.ts";
import type { RemoteAddress } from "../remote/address.ts";
import { explained } from "../remote/explain.ts";
import { accessEnvironment } from "../remote/git-settings.ts";

export interface PushTarget {
  readonly program: GitProgram;
  /** The folder of a local repository, or where a remote one is. */
  readonly to: string | RemoteAddress;
  readonly access: RemoteAccess;
  readonly ref: string;
  readonly timeoutMs: number;
}

export interface Pushed {
  readonly scratch: string;
  readonly commit: CommitId;
  readonly parent: CommitId;
}

/** By this name the repository's server may tell such a push from a person's: nobody waits to read what a hook says. */
export const PUSH_AGENT = "git/sluice-committer";

/**
 * Pushes one commit to the branch it was made for, where the branch is at its parent.
 * @throws GIT_CONFLICT, GIT_REFUSED, GIT_DENIED, GIT_FAILED
 */
export async function pushCommit(
  { program, to, access, ref, timeoutMs }: PushTarget,
  { scratch, commit, parent }: Pushed,
  signal: AbortSignal | undefined,
): Promise<void> {
  const local = typeof to === "string";
  const credential = local ? undefined : await readCredential(to, access.auth);
  const env = credential ? accessEnvironment(access, credential, timeoutMs) : {};
  const secrets = credential?.secrets ?? [];
  let heard = "";
  // The lease makes it stricter than a plain push, not looser: that one would undo somebody's taking back of `parent`.
  const words = ["--quiet", "--no-verify", `--force-with-lease=${ref}:${parent}`, "--"];
  const quiet = ["-c", "advice.pushUpdateRejected=false", "-c", `http.userAgent=${PUSH_AGENT}`];
  const args = [`--git-dir=${scratch}`, ...quiet, "push", ...words, local ? to : to.url, `${commit}:${ref}`];
  try {
    await runGit(program, args, {
      env: { ...env, SLUICE_FOLLOW: "no" },
      secrets,
      timeoutMs,
      heard: (text) => {
        heard = (heard + text).slice(-20_000);
      },
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (!isSluiceError(error, "GIT_FAILED")) throw error;
    throw rejection(redact(heard, secrets), ref) ?? explained(error);
  }
}

/** What a server says of a branch that another push moved between its looking and its writing. */
const RACED =
  /failed to update ref|incorrect old value|cannot lock ref|already exists|fetch first|non-fast-forward|stale info/i;

function rejection(heard: string, ref: string): SluiceError | undefined {
  const [, whose, why = ""] =
    /^ ! \[(rejected|remote rejected)\].*\(([^()]*(?:\([^()]*\))?[^()]*)\)\s*$/m.exec(heard) ?? [];
  if (whose === undefined) return undefined;
  if (whose === "rejected" || RACED.test(why))
    return new SluiceError("GIT_CONFLICT", `${ref} moved while a commit for it was being made (${why})`);
  const said = [...heard.matchAll(/^remote: ?(.*)$/gm)].map(([, line = ""]) => line.trim()).filter(Boolean);
  const words = said.slice(-10).join("; ").slice(-1000);
  return new SluiceError("GIT_REFUSED", `the repository refused the commit: ${words || why}`);
}
