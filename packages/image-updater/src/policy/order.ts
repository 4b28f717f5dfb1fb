import { parse, type SemVer, satisfies } from "semver";
import { type Extract, extractor } from "./extract.ts";
import type { WrittenImage } from "./schema.ts";

/** How the tags of one image are compared. */
export interface TagOrder {
  /** Undefined: the tag may be used; else why not, as the end of a sentence about the tag. */
  refuses(tag: string): string | undefined;
  /** Below 0: `a` is older; 0: neither is newer; undefined: one of them cannot be compared. Without a tag: named by digest alone. */
  compare(a: string | undefined, b: string | undefined): number | undefined;
}

/** A longer number is none that a build counts. */
const NUMBER = /^\d{1,40}$/;

/** @param image with one of the policies; a pin has no order. */
export function tagOrder(image: WrittenImage): TagOrder {
  const extract = extractor(image.match);
  switch (image.policy) {
    case "semver":
      return semverOrder(extract, image.range ?? "*", image.prerelease ?? false);
    case "numeric":
      return order(extract, (part) => (NUMBER.test(part) ? BigInt(part) : undefined), "is no number");
    case "alphabetical":
      return order(extract, (part) => part, "");
    default:
      return oneTag(image.tag, image.policy === "digest");
  }
}

function order<T extends string | bigint>(
  extract: Extract,
  read: (part: string) => T | undefined,
  why: string,
): TagOrder {
  const partOf = (tag: string) => {
    const part = extract(tag);
    return part === undefined ? undefined : read(part);
  };
  return {
    refuses(tag) {
      const part = extract(tag);
      if (part === undefined) return "does not match the pattern";
      return read(part) === undefined ? why : undefined;
    },
    compare(a, b) {
      if (a === undefined || b === undefined) return undefined;
      const [one, other] = [partOf(a), partOf(b)];
      if (one === undefined || other === undefined) return undefined;
      if (one === other) return 0;
      return one < other ? -1 : 1;
    },
  };
}

function semverOrder(extract: Extract, range: string, prerelease: boolean): TagOrder {
  const versionOf = (tag: string): SemVer | undefined => {
    const part = extract(tag);
    return (part === undefined ? null : parse(part)) ?? undefined;
  };
  return {
    refuses(tag) {
      if (extract(tag) === undefined) return "does not match the pattern";
      const version = versionOf(tag);
      if (!version) return "is no semantic version";
      if (version.prerelease.length > 0 && !prerelease && !satisfies(version, range))
        return "is a prerelease";
      return satisfies(version, range, { includePrerelease: prerelease })
        ? undefined
        : `is not in the range ${range}`;
    },
    compare(a, b) {
      if (a === undefined || b === undefined) return undefined;
      const [one, other] = [versionOf(a), versionOf(b)];
      return one && other ? one.compare(other) : undefined;
    },
  };
}

/** One tag that moves, or (undefined) whatever came last: only digests tell one image from another. */
function oneTag(followed: string | undefined, untagged: boolean): TagOrder {
  const follows = (tag: string | undefined) =>
    tag === undefined ? untagged : followed === undefined || tag === followed;
  return {
    refuses: (tag) => (follows(tag) ? undefined : `is not ${followed}`),
    compare: (a, b) => (follows(a) && follows(b) ? 0 : undefined),
  };
}
