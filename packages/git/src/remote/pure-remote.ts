import { randomUUID } from "node:crypto";
import fs, { promises } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf, redact, SluiceError } from "@sluice/core";
import git, { type FetchResult } from "isomorphic-git";
import { type Credential, readCredential } from "./access.ts";
import { clonedRemote } from "./clone.ts";
import { withDeadline } from "./deadline.ts";
import { refLister } from "./http/list-ref.ts";
import { type PureHttp, pureHttp } from "./http/pure-http.ts";
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
  to: { readonly clone: string; readonly tracking: string; readonly http: PureHttp },
  { secrets }: Credential,
): Promise<void> {
  const gitdir = to.clone;
  const remote = to.tracking.slice("refs/sluice/".length);
  try {
    const incoming = `${to.tracking}-incoming`;
    const { fetchHead, packfile }: FetchResult & { packfile?: string } = await git.fetch({
      fs: { promises: withRefspec(gitdir, remote, `+${ref}:${incoming}`) },
      http: to.http,
      gitdir,
      url,
      remote,
      ref: branch,
      remoteRef: branch,
      singleBranch: true,
      tags: false,
    });
    await onlyWhole(to.http, packfile && join(gitdir, packfile));
    if (!fetchHead) throw new SluiceError("GIT_FAILED", `fetching brought no ${ref}`);
    await moveRef(gitdir, to.tracking, fetchHead);
  } catch (error) {
    to.http.throwIfBroken();
    if (error instanceof SluiceError) throw error;
    throw new SluiceError("GIT_FAILED", redact(`git fetch failed: ${messageOf(error)}`, secrets), {
      cause: error,
    });
  }
}

/** At once, so that nobody reads half an id. */
async function moveRef(gitdir: string, ref: string, commit: string): Promise<void> {
  const draft = join(gitdir, `sluice-${randomUUID()}`);
  await mkdir(join(gitdir, dirname(ref)), { recursive: true });
  await writeFile(draft, `${commit}\n`);
  await rename(draft, join(gitdir, ref));
}

/** A pack that was broken off must not stay: what is missing of it would be looked for in it again and again. */
async function onlyWhole(http: PureHttp, packfile: string | undefined): Promise<void> {
  try {
    http.throwIfBroken();
  } catch (error) {
    if (packfile)
      for (const file of [packfile, packfile.replace(/pack$/, "idx")]) await rm(file, { force: true });
    throw error;
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
