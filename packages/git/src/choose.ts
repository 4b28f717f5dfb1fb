import { delimiter } from "node:path";
import type { GitSourceOptions } from "./git-source.ts";
import { largestTree, type SourceLimits } from "./limits.ts";
import { catFileReader } from "./objects/cat-file.ts";
import type { LargestBytes, ObjectReader } from "./objects/object-reader.ts";
import { type GitProgram, gitEnvironment, gitVersion, type RunOptions } from "./program.ts";
import { remoteAddress } from "./remote/address.ts";
import type { Remote } from "./remote/remote.ts";
import { systemRemote } from "./remote/system-remote.ts";

const TIMEOUT_MS = 60_000;
/** Git 2.36. */
const FIRST_WITH_BATCH_COMMAND = 236;
const LARGEST_COMMIT = 16 * 1024 * 1024;

/** A git program and its version, 2.39 as 239. */
export type VersionedProgram = GitProgram & { readonly version: number };

/** Undefined: there is none, or it was not wanted. */
export async function chooseProgram(
  options: GitSourceOptions,
  run: Pick<RunOptions, "started" | "signal"> = {},
): Promise<VersionedProgram | undefined> {
  if (options.git === false) return undefined;
  const program = {
    git: options.git ?? "git",
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    env: gitEnvironment(),
    clock: options.clock,
  };
  const version = await gitVersion(program, run);
  if (options.git !== undefined || version !== undefined) return { ...program, version: version ?? 0 };
  if (run.signal?.aborted) return undefined;
  options.log?.(
    "no git program was found: objects are read without one, which is slower for large repositories",
  );
  return undefined;
}

/** Undefined: the repository is a folder of this machine. @throws USAGE, GIT_MISSING */
export async function chooseRemote(
  options: GitSourceOptions,
  limits: SourceLimits,
  ref: string,
  program: GitProgram | undefined,
): Promise<Remote | undefined> {
  const address = remoteAddress(options.repository);
  if (!address) return undefined;
  const { branch, cacheDir, clock, access = {}, timeoutMs = TIMEOUT_MS } = options;
  if (access.auth && /^http:/i.test(address.url))
    options.log?.("the credentials of the deploy repo are sent over http, which others on the way can read");
  const shared = { address, access, branch, ref, cacheDir, clock, timeoutMs, limits };
  if (program) return systemRemote(program, shared);
  // Loaded only where there is no git program: it takes a tenth of a second.
  const { pureRemote } = await import("./remote/pure-remote.ts");
  return pureRemote(shared);
}

/** The repository's objects, by git's own reader where there is one. */
export async function chooseReader(
  options: GitSourceOptions,
  { maxFileBytes, maxFiles }: SourceLimits,
  program: VersionedProgram | undefined,
  gitDir: () => Promise<string>,
): Promise<ObjectReader> {
  const { quarantine } = options;
  const largestBytes: LargestBytes = (type) => {
    if (type === "blob") return maxFileBytes;
    return type === "tree" ? largestTree({ maxFiles }) : LARGEST_COMMIT;
  };
  if (!program) {
    const others = quarantine?.alternates.split(delimiter).filter((one) => one !== "") ?? [];
    const directories = quarantine ? { objectDirectories: [quarantine.objectDirectory, ...others] } : {};
    const { pureReader } = await import("./objects/pure-reader.ts");
    return pureReader({ gitDir, largestBytes, ...directories });
  }
  const objects = quarantine && {
    GIT_OBJECT_DIRECTORY: quarantine.objectDirectory,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: quarantine.alternates,
  };
  const { git, timeoutMs, version } = program;
  const env = { ...program.env, ...objects };
  const takesCommands = version >= FIRST_WITH_BATCH_COMMAND;
  return catFileReader({ git, gitDir, env, clock: options.clock, timeoutMs, largestBytes, takesCommands });
}
