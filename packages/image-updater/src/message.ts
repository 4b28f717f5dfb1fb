import type { Announced } from "./announcement.ts";
import type { Version } from "./decide.ts";

/** One image that a commit changes. */
export interface ImageChange {
  /** As `deploy.yaml` spells it. */
  readonly image: string;
  /** What the places said before, each once. */
  readonly from: readonly Version[];
  readonly to: Version;
  /** `apps/shop/web.yaml:12` */
  readonly places: readonly string[];
  /** The message that announced the version; undefined: it is pinned. */
  readonly announced: Announced | undefined;
}

/** Subjects of more images are told in numbers. */
const MOST_NAMED = 3;
const MOST_PLACES = 20;

/** What a commit changes from what to what, where, and why. */
export function commitMessage(changes: readonly ImageChange[]): string {
  const named = changes.map(
    ({ image, from, to }) => `${shortName(image)}: ${fromText(from)} → ${versionText(to)}`,
  );
  const subject =
    changes.length > MOST_NAMED
      ? `${changes.length} images: ${named.slice(0, 2).join(", ")}, …`
      : named.join(", ");
  return `${subject}\n\n${changes.map(paragraph).join("\n\n")}\n`;
}

function paragraph({ image, from, to, places, announced }: ImageChange): string {
  const shown = places.slice(0, MOST_PLACES).map((place) => `  ${place}`);
  const more = places.length > MOST_PLACES ? [`  and ${places.length - MOST_PLACES} more`] : [];
  return [`${image}: ${fromText(from)} → ${versionText(to)} (${why(announced)})`, ...shown, ...more].join(
    "\n",
  );
}

function why(announced: Announced | undefined): string {
  if (!announced) return `pinned in deploy.yaml`;
  const { by, at } = announced;
  return ["announced", by && `by ${by}`, at && `at ${at}`].filter(Boolean).join(" ");
}

function shortName(image: string): string {
  return image.slice(image.lastIndexOf("/") + 1);
}

function fromText(from: readonly Version[]): string {
  return [...new Set(from.map(versionText))].join(", ");
}

/** `1.4.2`, `1.4.2@sha256:0123abcd`, `sha256:0123abcd`. */
export function versionText({ tag, digest }: Version): string {
  const short = digest?.slice(0, digest.indexOf(":") + 13);
  if (tag === undefined) return short ?? "no tag";
  return short === undefined ? tag : `${tag}@${short}`;
}
