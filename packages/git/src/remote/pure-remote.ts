import fs, { promises } from "node:fs";
import { join } from "node:path";
import { messageOf, redact, SluiceError } from "@sluice/core";
import git from "isomorphic-git";
import { type Credential, readCredential } from "./access.ts";
import { clonedRemote } from "./clone.ts";
import { withDeadline } from "./deadline.ts";
import { refLister } from "./http/list-ref.ts";
import { pureHttp } from "./http/pure-http.ts";
import type { Remote, RemoteOptions } from "./remote.ts";

/**
 * A remote reached without a `git` program; http and https only.
 * @throws GIT_MISSING for other schemes.
 */
export function pureRemote(options: RemoteOptions): Remote {
  const { address, access, ref, clock, timeoutMs, limits } = options;
  if (!/^https?:/i.test(address.url))
    throw new SluiceError("GIT_MISSING", "without a git program only http and https URLs can be fetched");
  const lister = refLister(address.url, ref, access);

  return clonedRemote(options, {
    init: (folder) => git.init({ fs, gitdir: folder, bare: true }),
    async list(signal) {
      const credential = await readCredential(address, access.auth);
      const what = "listing the server's branches";
      return withDeadline({ clock, timeoutMs, what }, (until) => lister.list(credential, until), signal);
    },
    async fetch(clone, tracking, signal) {
      const credential = await readCredential(address, access.auth);
      const deadline = { clock, timeoutMs: limits.fetchTimeoutMs, what: "git fetch" };
      const work = (until: AbortSignal) => {
        const http = pureHttp({ access, credential, mostBytes: limits.maxFetchBytes, signal: until });
        return fetchBranch({ ...options, url: lister.base() }, { clone, tracking, http }, credential);
      };
      await withDeadline(deadline, work, signal);
    },
  });
}

async function fetchBranch(
  { branch, ref, url }: RemoteOptions & { readonly url: string },
  to: { readonly clone: string; readonly tracking: string; readonly http: ReturnType<typeof pureHttp> },
  { secrets }: Credential,
): Promise<void> {
  const gitdir = to.clone;
  const remote = to.tracking.slice("refs/sluice/".length);
  try {
    const { fetchHead } = await git.fetch({
      fs: { promises: withRefspec(gitdir, remote, `+${ref}:${to.tracking}`) },
      http: to.http,
      gitdir,
      url,
      remote,
      ref: branch,
      remoteRef: branch,
      singleBranch: true,
      tags: false,
    });
    if (!fetchHead) throw new SluiceError("GIT_FAILED", `fetching brought no ${ref}`);
    await git.writeRef({ fs, gitdir, ref: to.tracking, value: fetchHead, force: true });
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError("GIT_FAILED", redact(`git fetch failed: ${messageOf(error)}`, secrets), {
      cause: error,
    });
  }
}

/**
 * isomorphic-git fetches into nowhere but what the settings of a remote say. They are shown to it rather than written: sources
 * of other branches share the clone, and the git program may have made it.
 */
function withRefspec(gitdir: string, remote: string, refspec: string): typeof promises {
  const config = join(gitdir, "config");
  return new Proxy(promises, {
    get(target, name: keyof typeof promises) {
      if (name !== "readFile") return target[name];
      const readFile = target.readFile as (path?: string, ...rest: unknown[]) => Promise<string | Buffer>;
      return async (path?: string, ...rest: unknown[]) => {
        const found = await readFile.call(target, path, ...rest);
        return path === config ? `${found}\n[remote "${remote}"]\n\tfetch = ${refspec}\n` : found;
      };
    },
  });
}
