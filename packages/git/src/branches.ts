import { readdir, readFile } from "node:fs/promises";
import { type Clock, messageOf, SluiceError } from "@sluice/core";
import { type GitProgram, gitEnvironment, gitVersion, runGit } from "./program.ts";
import { findGitDir, isAbsent, isRepository } from "./refs/git-dir.ts";
import { type RemoteAccess, readCredential } from "./remote/access.ts";
import { type RemoteAddress, remoteAddress } from "./remote/address.ts";
import { withDeadline } from "./remote/deadline.ts";
import { explained } from "./remote/explain.ts";
import { accessEnvironment, canAskItself, withMachineTls } from "./remote/git-settings.ts";
import { TlsUntrusted } from "./remote/http/http-client.ts";
import { branchLister } from "./remote/http/list-ref.ts";

export interface ListBranchesOptions {
  /** As of a source: a path, a URL, or `user@host:path`. */
  readonly repository: string;
  readonly clock: Clock;
  /** How long it may take. Default: 60 s. */
  readonly timeoutMs?: number;
  /** The git program; false: do without. Default: `git` where there is one, else without. */
  readonly git?: string | false;
  readonly access?: RemoteAccess;
}

const HEADS = "refs/heads/";
const TIMEOUT_MS = 60_000;

/**
 * The names of all branches of a repository, without `refs/heads/`, in no order; tags are none of them. The list is whole or
 * is not given. A branch whose ref is damaged is a branch. Bytes that are no UTF-8 show as U+FFFD.
 * @throws GIT_FAILED, GIT_DENIED where the list cannot be told, USAGE, GIT_MISSING as `gitSource`.
 */
export async function listBranches(
  options: ListBranchesOptions,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const address = remoteAddress(options.repository);
  if (!address) return localBranches(await findGitDir(options.repository));
  const program = await programOf(options);
  if (!program && !/^https?:/i.test(address.url))
    throw new SluiceError("GIT_MISSING", "without a git program only http and https URLs can be listed");
  if (program && !canAskItself(program, address.url)) return askGit(program, address, options, signal);
  try {
    return await askServer(program, address, options, signal);
  } catch (error) {
    // Git looks for authorities where the system keeps them, which Node does not.
    if (!program || !(error instanceof TlsUntrusted)) throw error;
    return askGit(program, address, options, signal);
  }
}

async function askServer(
  program: GitProgram | undefined,
  address: RemoteAddress,
  { access: given = {}, clock, timeoutMs = TIMEOUT_MS }: ListBranchesOptions,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const access = program ? withMachineTls(given, program.env) : given;
  const credential = await readCredential(address, access.auth);
  const deadline = { clock, timeoutMs, what: "listing the server's branches" };
  const lister = branchLister(address.url, access);
  return withDeadline(deadline, (until) => lister.list(credential, until), signal);
}

/**
 * Read in place: `git for-each-ref` leaves a damaged ref out and ends well, which looks like a branch that was deleted. The
 * loose refs come first: `git pack-refs` writes the packed line before it takes the loose file away.
 */
async function localBranches(gitDir: string): Promise<readonly string[]> {
  try {
    const loose = await looseBranches(`${gitDir}/${HEADS}`, "");
    const packed = await packedBranches(gitDir);
    if (await isRepository(gitDir)) return [...new Set([...loose, ...packed])];
  } catch (cause) {
    throw new SluiceError("GIT_FAILED", `the branches cannot be listed: ${messageOf(cause)}`, { cause });
  }
  throw new SluiceError("GIT_FAILED", `the repository at ${gitDir} cannot be read`);
}

async function looseBranches(folder: string, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory())
      names.push(...(await looseBelow(`${folder}${entry.name}/`, `${prefix}${entry.name}/`)));
    else if (!entry.name.endsWith(".lock")) names.push(prefix + entry.name);
  }
  return names;
}

/** A folder of branches goes away with its last one; `refs/heads` itself does not. */
async function looseBelow(folder: string, prefix: string): Promise<string[]> {
  try {
    return await looseBranches(folder, prefix);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

async function packedBranches(gitDir: string): Promise<string[]> {
  const text = await readFile(`${gitDir}/packed-refs`, "utf8").catch((error: unknown) => {
    if (isAbsent(error)) return "";
    throw error;
  });
  if (text !== "" && !text.endsWith("\n")) throw new Error("packed-refs is cut short");
  return text.split("\n").flatMap((line) => {
    const name = line.slice(line.indexOf(" ") + 1);
    return /^[0-9a-f]/.test(line) && name.startsWith(HEADS) ? [name.slice(HEADS.length)] : [];
  });
}

async function programOf({ git, clock, timeoutMs }: ListBranchesOptions): Promise<GitProgram | undefined> {
  if (git === false) return undefined;
  const env = gitEnvironment();
  const program = { git: git ?? "git", timeoutMs: timeoutMs ?? TIMEOUT_MS, env, clock };
  return git !== undefined || (await gitVersion(program)) !== undefined ? program : undefined;
}

async function askGit(
  program: GitProgram,
  address: RemoteAddress,
  { access = {} }: ListBranchesOptions,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const credential = await readCredential(address, access.auth);
  const env = accessEnvironment(access, credential, program.timeoutMs);
  const args = ["-c", "protocol.ext.allow=never", "ls-remote", "--heads", "--", address.url];
  const { secrets } = credential;
  const output = await runGit(program, args, { env, secrets, ...(signal ? { signal } : {}) }).catch(
    (error: unknown) => {
      throw explained(error);
    },
  );
  // Git takes a page of another kind for an old server without branches, and who lists branches may remove what is gone.
  if (output === "" && /^https?:/i.test(address.url))
    throw new SluiceError(
      "GIT_FAILED",
      "git ls-remote found no branch at all, which may be no repository's answer",
    );
  return output.split("\n").flatMap((line) => {
    const name = line.split("\t")[1];
    return name?.startsWith(HEADS) ? [name.slice(HEADS.length)] : [];
  });
}
