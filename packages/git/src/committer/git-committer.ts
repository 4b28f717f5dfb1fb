import { join } from "node:path";
import {
  type Clock,
  type CommitId,
  type CommitRequest,
  type Committer,
  isSluiceError,
  type ObjectId,
  type Person,
  type Random,
  SluiceError,
} from "@sluice/core";
import { chooseProgram, chooseReader, chooseRemote } from "../choose.ts";
import { readCommit } from "../commits.ts";
import { DEFAULT_LIMITS, type SourceLimits } from "../limits.ts";
import type { ObjectReader } from "../objects/object-reader.ts";
import { branchRef } from "../refs/branch-name.ts";
import { findGitDir } from "../refs/git-dir.ts";
import { readLocalRef } from "../refs/local-ref.ts";
import type { RemoteAccess } from "../remote/access.ts";
import { remoteAddress } from "../remote/address.ts";
import { type CommitMaker, makeCommit, type SigningKey } from "./commit-object.ts";
import { editedTree } from "./edit-tree.ts";
import { writeObject } from "./loose-objects.ts";
import { pushCommit } from "./push.ts";
import { withScratch } from "./scratch.ts";

export interface GitCommitterOptions {
  /** As of a source: a path of a local repository, bare or not, or an http, https, ssh, git or file URL, or `user@host:path`. */
  readonly repository: string;
  readonly branch: string;
  /** The folder of the repository that paths are relative to; default: all of it. */
  readonly path?: string;
  /** Where clones of remote repositories are kept; the same folder as a source's shares its clone. */
  readonly cacheDir: string;
  /** Who makes the commits, and whose they are where a request names no author. */
  readonly committer: Person;
  /** Absent: commits are not signed. */
  readonly signing?: SigningKey;
  readonly clock: Clock;
  readonly random: Random;
  /** How long one git command may last; a push runs the repository's hooks. Default: 60 s. */
  readonly timeoutMs?: number;
  readonly git?: string;
  readonly access?: RemoteAccess;
  readonly limits?: Partial<SourceLimits>;
  readonly log?: (message: string) => void;
}

const TIMEOUT_MS = 60_000;

/**
 * Commits by the system's git: the objects are made beside the repository, at a cost that follows the edit, and then pushed to
 * it, also where it is a folder of this machine. So its hooks judge and see Sluice's commits as they do a person's, its
 * own rules hold, and git's locks decide every race.
 * @throws GIT_MISSING where there is no git program; GIT_REF_INVALID; USAGE for a URL that cannot be used.
 */
export async function gitCommitter(options: GitCommitterOptions): Promise<Committer> {
  const ref = branchRef(options.branch);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const program = await chooseProgram(options);
  if (!program?.version)
    throw new SluiceError("GIT_MISSING", "commits are made by the git program, and none was found");
  const address = remoteAddress(options.repository);
  const remote = await chooseRemote(options, limits, ref, program);
  const gitDir = remote ? remote.gitDir : () => findGitDir(options.repository);
  const reader = await chooseReader(options, limits, program, gitDir);
  const { access = {}, timeoutMs = TIMEOUT_MS, committer, signing } = options;
  const make = objectMaker({ program, committer, signing }, reader, options.path ?? "");

  async function head(signal?: AbortSignal): Promise<CommitId | undefined> {
    return remote ? remote.head(signal) : readLocalRef(await gitDir(), ref);
  }

  return {
    async commit(request, signal) {
      const { parent } = request;
      if ((await head(signal)) !== parent) throw moved(options.branch);
      const folder = await gitDir();
      return withScratch(folder, async (scratch) => {
        const commit = await make(request, scratch, signal);
        if (commit === parent) return commit;
        await request.made?.(commit);
        const target = { program, to: address ?? folder, access, ref, timeoutMs };
        try {
          await pushCommit(target, { scratch, commit, parent }, signal);
        } catch (error) {
          signal?.throwIfAborted();
          const now = isDoubtful(error) ? await head().catch(() => undefined) : undefined;
          if (now === undefined || now === parent) throw error;
          if (now !== commit) throw moved(options.branch);
        }
        return commit;
      });
    },
    close: async () => {
      await Promise.all([reader.close(), remote?.close()]);
    },
  };
}

/** Makes a request's objects in the scratch repository; its answer is the parent where nothing changes. */
function objectMaker(maker: CommitMaker, reader: ObjectReader, folder: string) {
  async function readTree(oid: ObjectId, signal: AbortSignal | undefined): Promise<Buffer> {
    const { type, bytes } = await reader.read(oid, signal);
    if (type === "tree") return bytes;
    throw new SluiceError("GIT_FAILED", `the object ${oid} is a ${type}, not a tree`);
  }
  return async (request: CommitRequest, scratch: string, signal?: AbortSignal): Promise<CommitId> => {
    const before = (await readCommit(reader, request.parent, signal)).tree;
    const after = await editedTree(before, folder, request.edits, {
      readTree: (oid) => readTree(oid, signal),
      write: (type, bytes) => writeObject(join(scratch, "objects"), type, bytes),
    });
    if (after === undefined) throw new SluiceError("USAGE", "the commit would leave no file at all");
    return after === before ? request.parent : makeCommit(scratch, after, request, maker, signal);
  };
}

/** A push may have failed only for us: its answer was lost, or a hook that runs after it took too long. */
function isDoubtful(error: unknown): boolean {
  return isSluiceError(error, "GIT_FAILED", "GIT_CONFLICT");
}

function moved(branch: string): SluiceError {
  return new SluiceError("GIT_CONFLICT", `the branch "${branch}" moved while a commit for it was being made`);
}
