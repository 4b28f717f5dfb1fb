import { SluiceError } from "../errors.ts";
import type { Brand } from "./ids.ts";

/**
 * A file's path inside an environment, as its KV key spells it: `[A-Za-z0-9._/-]` stand for themselves and every other
 * byte is `=XX` (upper-case hex, as in quoted-printable). A Git path is bytes, not text; this form keeps each one apart.
 */
export type FilePath = Brand<string, "FilePath">;

const PLAIN = /^[A-Za-z0-9._/-]*$/;

/**
 * @param path the path's bytes, or a text taken as UTF-8.
 * @throws PATH_UNSAFE for an empty path and for `.`, `..`, or empty segments, which no honest Git tree holds and some
 *   versions of Consul refuse or fold together.
 */
export function encodePath(path: Uint8Array | string): FilePath {
  const bytes = typeof path === "string" ? Buffer.from(path) : path;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const encoded = PLAIN.test(text) ? text : text.replace(/[^A-Za-z0-9._/-]/g, escapeByte);
  for (const segment of encoded.split("/")) {
    if (segment === "" || segment === "." || segment === "..")
      throw new SluiceError("PATH_UNSAFE", `the path "${encoded}" has an empty, "." or ".." segment`);
  }
  return encoded as FilePath;
}

function escapeByte(char: string): string {
  return `=${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

/** The path's bytes. */
export function decodePath(path: FilePath): Uint8Array {
  return Buffer.from(
    path.replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  );
}

/** Control characters, line and direction marks (they could write to, or turn around, what a person reads), and stray bytes. */
const UNSHOWABLE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffd]/u;

/** The path for people: as UTF-8 where it is UTF-8 that is safe to show, otherwise in its KV spelling. */
export function displayPath(path: FilePath): string {
  if (!path.includes("=")) return path;
  const text = Buffer.from(decodePath(path)).toString("utf8");
  return UNSHOWABLE.test(text) ? path : text;
}
