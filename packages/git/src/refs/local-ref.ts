import { readFile } from "node:fs/promises";
import { type CommitId, messageOf, SluiceError } from "@sluice/core";
import { isAbsent, isRepository } from "./git-dir.ts";

/** Git follows five symbolic refs and no more. */
const MOST_HOPS = 5;

/**
 * What a ref points to, read in place without a process; undefined where it certainly does not exist.
 * @throws GIT_FAILED where that cannot be told.
 */
export async function readLocalRef(gitDir: string, ref: string): Promise<CommitId | undefined> {
  let name = ref;
  for (let hop = 0; hop < MOST_HOPS; hop++) {
    // The loose file first: `git pack-refs` writes the packed line before it takes the loose file away.
    const loose = await readIfThere(`${gitDir}/${name}`);
    if (loose === undefined) return packedRef(gitDir, name);
    const target = /^ref: (refs\/\S+)\s*$/.exec(loose)?.[1];
    if (target === undefined) return idIn(loose.trim(), name);
    name = target;
  }
  throw new SluiceError("GIT_FAILED", `the ref ${ref} is symbolic without end`);
}

async function packedRef(gitDir: string, name: string): Promise<CommitId | undefined> {
  const packed = (await readIfThere(`${gitDir}/packed-refs`)) ?? "";
  const at = packed.indexOf(` ${name}\n`);
  if (at >= 0) return idIn(packed.slice(packed.lastIndexOf("\n", at) + 1, at), name);
  if (await isRepository(gitDir)) return undefined;
  throw new SluiceError("GIT_FAILED", `the repository at ${gitDir} cannot be read`);
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    // EISDIR: `refs/heads/feature` is a folder while the branch asked for is "feature".
    if (isAbsent(error) || (error as NodeJS.ErrnoException).code === "EISDIR") return undefined;
    throw new SluiceError("GIT_FAILED", `a ref cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function idIn(text: string, name: string): CommitId {
  if (/^[0-9a-f]{40}$/.test(text)) return text as CommitId;
  const what = /^[0-9a-f]{64}$/.test(text) ? "a SHA-256 id, which is not supported" : "no commit id";
  throw new SluiceError("GIT_FAILED", `the ref ${name} holds ${what}`);
}
