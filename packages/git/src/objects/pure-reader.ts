import { promises } from "node:fs";
import { readFile } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { messageOf, type ObjectId, redact } from "@sluice/core";
import git from "isomorphic-git";
import {
  DamagedObject,
  type GitObject,
  type LargestBytes,
  missingObject,
  type ObjectReader,
  tooLarge,
} from "./object-reader.ts";

export interface PureReaderOptions {
  readonly gitDir: () => Promise<string>;
  /** Object directories to look in instead of the repository's own. */
  readonly objectDirectories?: readonly string[];
  readonly largestBytes: LargestBytes;
}

/**
 * Objects without a `git` program, by isomorphic-git. It keeps the packs it has read in memory, and learns an object's size
 * only by inflating it.
 */
export function pureReader(options: PureReaderOptions): ObjectReader {
  let cache = {};

  return {
    async read(oid, signal) {
      const directories = options.objectDirectories ?? (await withAlternates(await options.gitDir()));
      for (const directory of directories) {
        signal?.throwIfAborted();
        const object = await readFrom(directory, oid, cache).catch((error: unknown) => {
          // What was read of a damaged pack must not be remembered once it is repaired.
          cache = {};
          throw error;
        });
        if (!object) continue;
        if (object.bytes.length > options.largestBytes(object.type)) throw tooLarge(oid, object.bytes.length);
        return object;
      }
      throw missingObject(oid);
    },
    async close() {},
  };
}

async function readFrom(directory: string, oid: ObjectId, cache: object): Promise<GitObject | undefined> {
  try {
    const found = await git.readObject({
      fs: { promises: lookingInto(directory) },
      gitdir: join(directory, "gitdir"),
      oid,
      format: "content",
      cache,
    });
    return { type: found.type as GitObject["type"], bytes: Buffer.from(found.object as Uint8Array) };
  } catch (cause) {
    if ((cause as { code?: string }).code === "NotFoundError") return undefined;
    throw new DamagedObject("GIT_FAILED", redact(`the object ${oid} cannot be read: ${messageOf(cause)}`), {
      cause,
    });
  }
}

/**
 * isomorphic-git always looks in `<gitdir>/objects` and knows no alternates; this shows it any directory under that name.
 * It finds out whether members return promises by calling them without a path.
 */
function lookingInto(directory: string): typeof promises {
  const shown = join(directory, "gitdir", "objects");
  const real = (path?: string) => (path?.startsWith(shown) ? directory + path.slice(shown.length) : path);
  return new Proxy(promises, {
    get(target, name: keyof typeof promises) {
      const member = target[name];
      if (typeof member !== "function") return member;
      return (path?: string, ...rest: unknown[]) =>
        (member as (...args: unknown[]) => unknown).call(target, real(path), ...rest);
    },
  });
}

async function withAlternates(gitDir: string): Promise<string[]> {
  const own = join(gitDir, "objects");
  const list = await readFile(join(own, "info", "alternates"), "utf8").catch(() => "");
  const others = list.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return [own, ...others.map((path) => (isAbsolute(path) ? path : resolve(own, path)))];
}
