import { randomUUID } from "node:crypto";
import fs from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Clock, type CommitId, messageOf, redact, SluiceError } from "@sluice/core";
import { type GitProgram, runGit } from "../program.ts";
import { type Credential, type RemoteAccess, readCredential } from "../remote/access.ts";
import type { RemoteAddress } from "../remote/address.ts";
import { withDeadline } from "../remote/deadline.ts";
import { explained } from "../remote/explain.ts";
import { accessEnvironment, withMachineTls } from "../remote/git-settings.ts";

export interface PushOptions {
  readonly program: GitProgram | undefined;
  readonly address: RemoteAddress;
  readonly access: RemoteAccess;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Of the server's answers together, where no git program asks. */
  readonly mostBytes: number;
}

/**
 * Makes a ref of a remote a commit of the clone, never by force.
 * @throws GIT_FAILED also where the ref moved there meanwhile; GIT_DENIED.
 */
export async function pushRef(
  options: PushOptions,
  { gitDir, ref, commit }: { readonly gitDir: string; readonly ref: string; readonly commit: CommitId },
  signal?: AbortSignal,
): Promise<void> {
  const { program, address, access, clock, timeoutMs } = options;
  const credential = await readCredential(address, access.auth);
  if (!program) {
    const deadline = { clock, timeoutMs, what: "git push" };
    const what = { gitDir, ref, commit };
    return withDeadline(deadline, (until) => purePush(options, what, credential, until), signal);
  }
  const env = accessEnvironment(withMachineTls(access, program.env), credential, timeoutMs);
  const args = [
    `--git-dir=${gitDir}`,
    "-c",
    "protocol.ext.allow=never",
    "push",
    "--porcelain",
    "--no-verify",
  ];
  const { secrets } = credential;
  await runGit(program, [...args, "--", address.url, `${commit}:${ref}`], {
    env,
    secrets,
    ...(signal ? { signal } : {}),
  }).catch((error: unknown) => {
    throw explained(error);
  });
}

async function purePush(
  { address, access, mostBytes }: PushOptions,
  { gitDir, ref, commit }: { readonly gitDir: string; readonly ref: string; readonly commit: CommitId },
  credential: Credential,
  signal: AbortSignal,
): Promise<void> {
  const [{ default: git }, { pureHttp }] = await Promise.all([
    import("isomorphic-git"),
    import("../remote/http/pure-http.ts"),
  ]);
  const http = pureHttp({ access, credential, mostBytes, signal });
  // It pushes nothing but refs of the clone.
  const outgoing = `refs/sluice/outgoing/${randomUUID()}`;
  const file = join(gitDir, outgoing);
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${commit}\n`);
    const { ok, error } = await git.push({
      fs,
      http,
      gitdir: gitDir,
      url: address.url,
      ref: outgoing,
      remoteRef: ref,
    });
    if (!ok) throw new Error(error ?? "the server refused it");
  } catch (cause) {
    http.throwIfBroken();
    if (cause instanceof SluiceError) throw cause;
    const message = redact(`git push failed: ${messageOf(cause)}`, credential.secrets);
    throw new SluiceError("GIT_FAILED", message, { cause });
  } finally {
    await rm(file, { force: true });
  }
}
