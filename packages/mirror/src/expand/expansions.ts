import { blobId, isSluiceError, type ObjectId, SluiceError, type Source } from "@sluice/core";
import { boundedCache } from "./bounded-cache.ts";
import { type ExpandedValue, type ExpandProblem, expandFile, variablesIn } from "./expand-file.ts";
import type { ExpandRules, FileFormat } from "./rules.ts";

/** A content of the repository, and how it is seen. */
export interface Content {
  readonly oid: ObjectId;
  readonly format: FileFormat | "text";
  /** The common properties file, where this content may name its values. */
  readonly variables: ObjectId | undefined;
}

/** What a content becomes: which keys, and the ids of their values. */
export interface Outline {
  readonly keys: readonly { readonly suffix: string; readonly oid: ObjectId }[];
  readonly problems: readonly ExpandProblem[];
}

/** Expands contents, remembers what became of them, and finds the value of an id again. */
export interface Expansions {
  /** The outlines in the order asked; only contents that are not remembered are read. */
  outlines(contents: readonly Content[], signal?: AbortSignal): Promise<readonly Outline[]>;
  /** True for the id of a value that some content became. */
  knows(oid: ObjectId): boolean;
  /** @throws GIT_OBJECT_MISSING for an id that is not known. */
  value(oid: ObjectId, signal?: AbortSignal): Promise<Uint8Array>;
  /** Said before a whole tree is outlined: ids that were not outlined since it was said before may be forgotten. */
  age(): void;
}

/** How much is remembered: outlines by their keys, values by their bytes. What was forgotten is computed again. */
const OUTLINED_KEYS = 600_000;
const VALUE_BYTES = 16 * 1024 * 1024;
/** Fewer ids than these are never forgotten. */
const ORIGINS = 200_000;

export function expansions(source: Source, rules: ExpandRules): Expansions {
  const outlines = boundedCache<string, Outline>(OUTLINED_KEYS, ({ keys }) => keys.length);
  const values = boundedCache<ObjectId, Uint8Array>(VALUE_BYTES, (bytes) => bytes.byteLength);
  const commons = boundedCache<ObjectId, ReadonlyMap<string, string>>(16, () => 0);
  /** Where the value of each id comes from, and the same of the time before `age` was called last. */
  let origins = new Map<ObjectId, Content>();
  let older: ReadonlyMap<ObjectId, Content> = new Map();

  async function variablesOf(oid: ObjectId | undefined, signal: AbortSignal | undefined) {
    if (oid === undefined) return new Map<string, string>();
    const known = commons.get(oid);
    if (known) return known;
    const read = variablesIn(await readOne(source, oid, signal)) ?? new Map<string, string>();
    commons.set(oid, read);
    return read;
  }
  async function expand(content: Content, bytes: Uint8Array, signal: AbortSignal | undefined) {
    const variables = await variablesOf(content.variables, signal);
    return expandFile(bytes, { format: content.format, rules, variables });
  }
  function keep(content: Content, { suffix, bytes }: ExpandedValue) {
    const oid = blobId(bytes);
    if (oid !== content.oid) values.set(oid, bytes);
    return { suffix, oid };
  }
  function register(content: Content, { keys }: Outline) {
    for (const { oid } of keys) if (oid !== content.oid) origins.set(oid, content);
  }
  return {
    async outlines(contents, signal) {
      const found = new Map(contents.map((one) => [nameOf(one), outlines.get(nameOf(one))]));
      const missing = [...new Map(contents.map((one) => [nameOf(one), one])).values()];
      const unread = missing.filter((one) => found.get(nameOf(one)) === undefined);
      for await (const { at, bytes } of readAll(
        source,
        unread.map(({ oid }) => oid),
        signal,
      )) {
        const content = unread[at] as Content;
        const expansion = bytes ? await expand(content, bytes, signal) : TOO_LARGE;
        const keys = expansion.values.map((one) => keep(content, one));
        const outline = { keys, problems: expansion.problems };
        found.set(nameOf(content), outline);
        outlines.set(nameOf(content), outline);
      }
      return contents.map((one) => {
        const outline = found.get(nameOf(one)) as Outline;
        register(one, outline);
        return outline;
      });
    },
    knows: (oid) => origins.has(oid) || older.has(oid),
    age() {
      if (origins.size < ORIGINS) return;
      older = origins;
      origins = new Map();
    },
    async value(oid, signal) {
      const kept = values.get(oid);
      if (kept) return kept;
      const content = origins.get(oid) ?? older.get(oid);
      if (!content) throw new SluiceError("GIT_OBJECT_MISSING", `no value ${oid} is known`);
      const expansion = await expand(content, await readOne(source, content.oid, signal), signal);
      for (const one of expansion.values) keep(content, one);
      const again = expansion.values.find(({ bytes }) => blobId(bytes) === oid);
      if (again) return again.bytes;
      throw new SluiceError("INTERNAL", `the value ${oid} of ${content.oid} cannot be found again`);
    },
  };
}

const TOO_LARGE = { values: [], problems: [{ message: "the file is too large to be read" }] };

function nameOf({ oid, format, variables }: Content): string {
  return `${oid} ${format} ${variables ?? ""}`;
}

async function readOne(source: Source, oid: ObjectId, signal: AbortSignal | undefined): Promise<Uint8Array> {
  for await (const bytes of source.blobs.read([oid], signal)) return bytes;
  throw new SluiceError("GIT_OBJECT_MISSING", `no object ${oid}`);
}

/** Contents in order; without bytes for one so large that the source does not read it. */
async function* readAll(
  source: Source,
  oids: readonly ObjectId[],
  signal: AbortSignal | undefined,
): AsyncIterable<{ at: number; bytes: Uint8Array | undefined }> {
  let at = 0;
  while (at < oids.length) {
    try {
      for await (const bytes of source.blobs.read(oids.slice(at), signal)) yield { at: at++, bytes };
      return;
    } catch (error) {
      if (!isSluiceError(error, "FILE_TOO_LARGE")) throw error;
      yield { at: at++, bytes: undefined };
    }
  }
}
