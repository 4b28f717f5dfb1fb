import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type CommitId, SluiceError } from "@sluice/core";
import type { SourceLimits } from "../limits.ts";
import { type GitProgram, type RunOptions, runGit } from "../program.ts";
import { readLocalRef } from "../refs/local-ref.ts";
import { type Credential, readCredential } from "./access.ts";
import { clonedRemote } from "./clone.ts";
import { withDeadline } from "./deadline.ts";
import { explained } from "./explain.ts";
import { receivedBytes } from "./fetch-progress.ts";
import { accessEnvironment, canAskItself, withMachineTls } from "./git-settings.ts";
import { housekeeping } from "./housekeeping.ts";
import { TlsUntrusted } from "./http/http-client.ts";
import { type RefLister, refLister } from "./http/list-ref.ts";
import { fetchTooLarge, type Remote, type RemoteOptions } from "./remote.ts";

/** A remote reached by the `git` program, which is only started where something moved if HTTP can tell that. */
export function systemRemote(program: GitProgram, options: RemoteOptions): Remote {
  const { address, ref, limits } = options;
  const access = withMachineTls(options.access, program.env);
  const lister = canAskItself(program, address.url) ? refLister(address.url, ref, access) : undefined;

  async function run(args: readonly string[], credential: Credential, extra: RunOptions): Promise<string> {
    const env = accessEnvironment(access, credential, options.timeoutMs);
    // Always a pack: it is written as it comes, and git says how much has come.
    const safe = ["-c", "protocol.ext.allow=never", "-c", "fetch.unpackLimit=1", ...args];
    try {
      return await runGit(program, safe, { env, secrets: credential.secrets, ...extra });
    } catch (error) {
      throw explained(error);
    }
  }

  const tidying = housekeeping((clone, signal) =>
    runGit(program, [`--git-dir=${clone}`, "gc", "--quiet"], { signal, timeoutMs: limits.fetchTimeoutMs }),
  );
  const remote = clonedRemote(options, {
    init: async (folder) => {
      await runGit(program, ["init", "--quiet", "--bare", "--template=", "--", folder]);
    },
    async list(signal) {
      const credential = await readCredential(address, access.auth);
      if (lister) {
        const there = await listed(lister, credential, options, signal);
        if (there !== "ask git") return there;
      }
      const output = await run(["ls-remote", "--", address.url, ref], credential, signal ? { signal } : {});
      return headIn(output, ref);
    },
    async fetch(clone, tracking, signal) {
      const credential = await readCredential(address, access.auth);
      const what = ["--", lister?.base() ?? address.url, `+${ref}:${tracking}`];
      const inClone = (args: readonly string[], extra: RunOptions) =>
        run([`--git-dir=${clone}`, ...args], credential, extra);
      await boundedFetch({ clone, tracking, what, limits, run: inClone }, signal);
      tidying.afterFetch(clone);
    },
  });
  return { ...remote, close: tidying.stop };
}

async function listed(
  lister: RefLister,
  credential: Credential,
  { clock, timeoutMs }: RemoteOptions,
  signal: AbortSignal | undefined,
): Promise<CommitId | undefined | "ask git"> {
  try {
    const what = "listing the server's branches";
    return await withDeadline({ clock, timeoutMs, what }, (until) => lister.list(credential, until), signal);
  } catch (error) {
    // Git looks for authorities where the system keeps them, which Node does not.
    if (error instanceof TlsUntrusted) return "ask git";
    throw error;
  }
}

interface Fetch {
  readonly clone: string;
  readonly tracking: string;
  /** The last words of the command: from where, and which ref to where. */
  readonly what: readonly string[];
  readonly limits: SourceLimits;
  run(args: readonly string[], extra: RunOptions): Promise<unknown>;
}

const QUIETLY = ["--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance"];

/** @throws LIMIT_EXCEEDED where more came than may; the ref is then where it was. */
async function boundedFetch(
  { clone, tracking, what, limits, run }: Fetch,
  signal: AbortSignal | undefined,
): Promise<void> {
  const over = new AbortController();
  const heard = receivedBytes((bytes) => {
    if (bytes > limits.maxFetchBytes) over.abort(fetchTooLarge(limits.maxFetchBytes));
  });
  const until = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  const extra = { signal: until, heard, timeoutMs: limits.fetchTimeoutMs };
  const [before, known] = await Promise.all([partialPacks(clone), readLocalRef(clone, tracking)]);
  try {
    await run(["fetch", "--progress", ...QUIETLY, ...what], extra);
    // Git tells its progress now and then; a fast fetch may be over by then.
    if (over.signal.aborted) await run(setBack(tracking, known), {});
    over.signal.throwIfAborted();
  } catch (error) {
    await removePartialPacks(clone, before);
    throw error;
  }
}

/** A pattern of `ls-remote` also matches longer refs that end alike, so the name is compared. */
function headIn(output: string, ref: string): CommitId | undefined {
  for (const line of output.split("\n")) {
    const [id, name] = line.split("\t");
    if (name !== ref || id === undefined) continue;
    if (/^[0-9a-f]{40}$/.test(id)) return id as CommitId;
    throw new SluiceError("GIT_FAILED", `the remote's ${ref} has an id that is not supported`);
  }
  return undefined;
}

function setBack(ref: string, commit: CommitId | undefined): string[] {
  return commit === undefined ? ["update-ref", "-d", ref] : ["update-ref", ref, commit];
}

async function partialPacks(clone: string): Promise<readonly string[]> {
  const names = await readdir(join(clone, "objects", "pack")).catch(() => []);
  return names.filter((name) => name.startsWith("tmp_"));
}

/** Git leaves what it had received when it is stopped; attempt after attempt would fill the disk. */
async function removePartialPacks(clone: string, before: readonly string[]): Promise<void> {
  for (const name of await partialPacks(clone))
    if (!before.includes(name)) await rm(join(clone, "objects", "pack", name), { force: true });
}
