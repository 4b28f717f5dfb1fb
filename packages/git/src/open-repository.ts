import { chooseProgram, chooseReader, chooseRemote } from "./choose.ts";
import type { GitSourceOptions } from "./git-source.ts";
import type { SourceLimits } from "./limits.ts";
import { lateReader } from "./objects/late-reader.ts";
import type { ObjectReader } from "./objects/object-reader.ts";
import { findGitDir } from "./refs/git-dir.ts";
import { remoteAddress } from "./remote/address.ts";
import type { Remote } from "./remote/remote.ts";

/** A repository as a source reads it. */
export interface OpenRepository {
  /** Undefined: it is a folder of this machine. */
  readonly remote: Remote | undefined;
  readonly reader: ObjectReader;
  /** Where its objects and branches are. @throws GIT_FAILED as long as nothing is there. */
  readonly gitDir: () => Promise<string>;
}

/** @throws USAGE for a URL that cannot be used, GIT_MISSING where a git program is needed and is not there. */
export async function openRepository(
  options: GitSourceOptions,
  limits: SourceLimits,
  ref: string,
): Promise<OpenRepository> {
  const local = onceFound(() => findGitDir(options.repository));
  if (!remoteAddress(options.repository))
    return { remote: undefined, gitDir: local, reader: await localReader(options, limits, local) };
  const program = await chooseProgram(options);
  const remote = await chooseRemote(options, limits, ref, program);
  const gitDir = remote?.gitDir ?? local;
  return { remote, gitDir, reader: await chooseReader(options, limits, program, gitDir) };
}

/**
 * Git is asked for its version, which tells how objects are read, but nobody waits for the answer before an object is
 * needed; by then git is ready to be asked for objects, too. That there is no git at all is known at once.
 */
async function localReader(
  options: GitSourceOptions,
  limits: SourceLimits,
  gitDir: () => Promise<string>,
): Promise<ObjectReader> {
  const closing = new AbortController();
  let started = () => {};
  const running = new Promise<void>((resolve) => {
    started = resolve;
  });
  const program = chooseProgram(options, { started, signal: closing.signal });
  const reader = program.then((found) => chooseReader(options, limits, found, gitDir));
  const known = await Promise.race([reader, running]);
  return known ?? lateReader(reader, closing);
}

/** Remembers the folder once it was found; a repository that is not there yet may come. */
function onceFound(find: () => Promise<string>): () => Promise<string> {
  let found: string | undefined;
  return async () => {
    found ??= await find();
    return found;
  };
}
