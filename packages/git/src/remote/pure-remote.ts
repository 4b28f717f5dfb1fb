import fs from "node:fs";
import { type Clock, type CommitId, messageOf, redact, SluiceError } from "@sluice/core";
import git from "isomorphic-git";
import http from "isomorphic-git/http/node";
import { readLocalRef } from "../refs/local-ref.ts";
import { type RemoteAddress, secretsOf } from "./address.ts";
import { cacheFolder } from "./cache-folder.ts";
import { type Remote, trackingRef } from "./remote.ts";
import type { RemoteOptions } from "./system-remote.ts";

/**
 * A remote reached without a `git` program; http and https only.
 * @throws GIT_MISSING for other schemes.
 */
export function pureRemote(options: RemoteOptions & { clock: Clock; timeoutMs: number }): Remote {
  const { address, branch, ref } = options;
  if (!/^https?:/i.test(address.url))
    throw new SluiceError("GIT_MISSING", "without a git program only http and https URLs can be fetched");
  const tracking = trackingRef(branch);

  const gitDir = () =>
    cacheFolder(options.cacheDir, address.url, (draft) => git.init({ fs, gitdir: draft, bare: true }));

  return {
    gitDir,
    async head(signal) {
      const clone = await gitDir();
      const ask = () =>
        git.listServerRefs({ http, url: address.url, prefix: ref, ...authentication(address) });
      const there = (await within(options, address, "ls-remote", ask, signal)).find((one) => one.ref === ref);
      if (!there) return undefined;
      if ((await readLocalRef(clone, tracking)) === there.oid) return there.oid as CommitId;
      return within(options, address, "fetch", () => fetchBranch(options, clone), signal);
    },
  };
}

async function fetchBranch({ address, branch, ref }: RemoteOptions, clone: string): Promise<CommitId> {
  // A clone the git program made has no such setting; isomorphic-git fetches into nowhere else.
  const value = "+refs/heads/*:refs/remotes/origin/*";
  await git.setConfig({ fs, gitdir: clone, path: "remote.origin.fetch", value });
  const { fetchHead } = await git.fetch({
    fs,
    http,
    gitdir: clone,
    url: address.url,
    remote: "origin",
    ref: branch,
    remoteRef: branch,
    singleBranch: true,
    tags: false,
    ...authentication(address),
  });
  if (!fetchHead) throw new SluiceError("GIT_FAILED", `fetching brought no ${ref}`);
  await git.writeRef({ fs, gitdir: clone, ref: trackingRef(branch), value: fetchHead, force: true });
  return fetchHead as CommitId;
}

function authentication({ credentials }: RemoteAddress) {
  return credentials ? { onAuth: () => ({ ...credentials }) } : {};
}

/** isomorphic-git knows neither deadlines nor signals; what comes after them is left alone. */
async function within<T>(
  options: { readonly clock: Clock; readonly timeoutMs: number },
  address: RemoteAddress,
  what: string,
  work: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const done = new AbortController();
  const until = signal ? AbortSignal.any([signal, done.signal]) : done.signal;
  const deadline = options.clock.sleep(options.timeoutMs, until).then((): never => {
    signal?.throwIfAborted();
    throw new SluiceError("GIT_FAILED", `git ${what} took longer than ${options.timeoutMs} ms`);
  });
  deadline.catch(() => undefined);
  try {
    return await Promise.race([work(), deadline]);
  } catch (error) {
    if (error instanceof SluiceError || signal?.aborted) throw error;
    const message = redact(`git ${what} failed: ${messageOf(error)}`, secretsOf(address));
    throw new SluiceError("GIT_FAILED", message, { cause: error });
  } finally {
    done.abort();
  }
}
