/** A reference to an image, taken apart: `registry.example:5000/shop/web:1.4.2@sha256:…`. */
export interface ImageReference {
  /** As it is written, without tag and digest. */
  readonly name: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** What a registry takes as a tag (distribution's reference grammar). Nothing of it means anything to YAML, JSON or a shell. */
export const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
export const DIGEST = /^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/;
const COMPONENT = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const HOST = "(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9a-fA-F:]+\\])(?::[0-9]{1,5})?";
const NAME = new RegExp(`^(?:${HOST}/)?${COMPONENT}(?:/${COMPONENT})*$`);
const LONGEST_NAME = 255;

/** Undefined where the text is no reference to an image. */
export function parseReference(text: string): ImageReference | undefined {
  const [named = "", digest, ...more] = text.split("@");
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return undefined;
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  const name = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (!isImageName(name) || (tag !== undefined && !TAG.test(tag))) return undefined;
  return { name, tag, digest };
}

export function isImageName(text: string): boolean {
  return text.length <= LONGEST_NAME && NAME.test(text);
}

/**
 * The one spelling of an image's name: `web`, `library/web` and `docker.io/library/web` are the same image of Docker Hub. A first
 * part is a registry where it has a dot or a port, or is `localhost`, as docker has it.
 */
export function canonicalName(name: string): string {
  const cut = name.indexOf("/");
  const first = cut < 0 ? "" : name.slice(0, cut);
  const isHost = /[.:]/.test(first) || first === "localhost";
  const host = isHost
    ? first.toLowerCase().replace(/^(index|registry-1)\.docker\.io$/, "docker.io")
    : "docker.io";
  const path = isHost ? name.slice(cut + 1) : name;
  if (host !== "docker.io") return `${host}/${path}`;
  return `docker.io/${path.includes("/") ? path : `library/${path}`}`;
}
