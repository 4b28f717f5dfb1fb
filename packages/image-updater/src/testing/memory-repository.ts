import {
  type CommitId,
  type CommitRequest,
  type Committer,
  displayPath,
  SluiceError,
  type Source,
  type TreeFile,
} from "@sluice/core";
import { type MemorySource, memorySource } from "@sluice/core/testing";

export interface MadeCommit {
  readonly id: CommitId;
  readonly message: string;
  /** The files it changed: path → text. */
  readonly edits: Readonly<Record<string, string>>;
}

/** A branch in memory that takes a person's pushes and Sluice's commits. */
export interface MemoryRepository {
  readonly source: Source;
  readonly committer: Committer;
  /** Sluice's commits, oldest first. */
  readonly commits: readonly MadeCommit[];
  /** A person's commit: these files are changed, the others stay. */
  push(files: Readonly<Record<string, string>>): CommitId;
  files(): Promise<Record<string, string>>;
  text(path: string): Promise<string>;
  /** Asked when a commit was made and is to be pushed: throws before it lands, or after. */
  fault: ((phase: "before" | "after") => void) | undefined;
}

export function memoryRepository(files: Readonly<Record<string, string>>): MemoryRepository {
  const source = memorySource();
  const landed = new Set<CommitId>();
  const commits: MadeCommit[] = [];
  let now = { ...files };
  const move = (next: Record<string, string>) => {
    now = next;
    const id = source.push(next);
    landed.add(id);
    return id;
  };
  move(now);

  async function commit({ parent, edits, message, made }: CommitRequest): Promise<CommitId> {
    if ((await source.head()) !== parent) throw conflict();
    const changed = Object.fromEntries(
      edits.map(({ path, content }) => [displayPath(path), Buffer.from(content ?? []).toString()]),
    );
    const id = source.push({ ...now, ...changed });
    source.reset(parent);
    await made?.(id);
    repository.fault?.("before");
    if ((await source.head()) !== parent) throw conflict();
    now = { ...now, ...changed };
    source.reset(id);
    landed.add(id);
    commits.push({ id, message, edits: changed });
    repository.fault?.("after");
    return id;
  }
  const repository: MemoryRepository = {
    source: describingOnly(source, landed),
    committer: { commit, close: async () => undefined },
    commits,
    push: (changed) => move({ ...now, ...changed }),
    files: async () => ({ ...now }),
    text: async (path) => now[path] ?? "",
    fault: undefined,
  };
  return repository;
}

/** A commit that no branch took is in no repository. */
function describingOnly(source: MemorySource, landed: ReadonlySet<CommitId>): Source {
  return {
    ...source,
    async describe(commit, signal) {
      if (!landed.has(commit)) throw new SluiceError("GIT_OBJECT_MISSING", `no commit ${commit}`);
      return source.describe(commit, signal);
    },
    tree: (commit, signal): Promise<readonly TreeFile[]> => source.tree(commit, signal),
  };
}

function conflict(): SluiceError {
  return new SluiceError("GIT_CONFLICT", "the branch moved");
}
