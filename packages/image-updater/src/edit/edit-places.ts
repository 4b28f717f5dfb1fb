import { parseDocument } from "yaml";
import { isOutdated, type Version } from "../decide.ts";
import type { ImagePolicy } from "../policy/parse-policies.ts";
import { findPlaces, type Place, type RefusedPlace } from "./find-places.ts";

/** What an image is to have. */
export interface Target {
  readonly policy: ImagePolicy;
  readonly version: Version;
}

/** What was changed in one place. */
export interface EditedPlace {
  readonly name: string;
  readonly line: number;
  readonly from: Version;
  readonly to: Version;
}

export interface EditedText {
  readonly text: string;
  readonly edited: readonly EditedPlace[];
  readonly refused: readonly RefusedPlace[];
}

/**
 * The text with the version of each outdated place replaced, and not one other character: comments, order, quotes, indentation and
 * line ends stay as they are.
 * @param targets by canonical name.
 */
export function editPlaces(text: string, targets: ReadonlyMap<string, Target>): EditedText {
  const found = findPlaces(text);
  const edited: EditedPlace[] = [];
  const refused = found.refused.filter(({ name }) => targets.has(name));
  let after = "";
  let copied = 0;
  for (const place of [...found.places].sort((a, b) => a.start - b.start)) {
    const target = targets.get(place.name);
    if (!target || !isOutdated(target.policy, target.version, place.version)) continue;
    const written = writtenAs(place, target.version);
    if (typeof written !== "string") refused.push({ name: place.name, line: place.line, why: written.why });
    else {
      after += text.slice(copied, place.start) + written;
      copied = place.end;
      edited.push({ name: place.name, line: place.line, from: place.version, to: target.version });
    }
  }
  return { text: after + text.slice(copied), edited, refused };
}

function writtenAs({ kind, version }: Place, { tag, digest }: Version): string | { why: string } {
  if (kind === "reference")
    return `${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
  if (tag === undefined || digest !== undefined)
    return { why: "holds a tag alone, and the image is to be named by its digest" };
  // Without quotes 1.10 is the number 1.1, and `on` may be no word at all.
  if (kind === "bare-tag" && parseDocument(tag).toJS() !== tag && tag !== version.tag)
    return { why: `would not be read as the tag ${tag}; put it in quotes` };
  return tag;
}
