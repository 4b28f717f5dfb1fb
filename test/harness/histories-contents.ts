import fc from "fast-check";

/** A path as Git has it: bytes, one per character. */
export type GitPath = string;

const KIB = 1024;

/** Segments that tools before this one broke on, and pairs that must not be taken for one another. */
const SEGMENTS = [
  ..."a b cfg cfg2 application.yml application-dev apps files revision ... .hidden -x -- = =20 =3D =FF ~ * : # @ + , ;".split(
    " ",
  ),
  ...[
    "a b",
    "a=20b",
    "a%20b",
    " ",
    " lead",
    "trail ",
    "line\nbreak",
    "cr\r",
    "tab\t",
    'quo"te',
    "'",
    "back\\slash",
  ],
  ...["?recurse", "%2F", "%2e%2e", "%00", "$(x)", "`x`", "&", "<!--", "\x01", "\x7f", "CON", "n".repeat(200)],
  // The same letter composed and not, and a Cyrillic one that looks the same.
  ...["ü", "u\u0308", "а", "日本語", "🚀"].map((text) => Buffer.from(text).toString("latin1")),
  // Bytes that are no UTF-8.
  ...["\xff", "\xfe\xff", "\xc3", "\xe2\x82"],
];

/** Fifty levels below each other, with a neighbour at each end. */
const DEEP = Array.from({ length: 50 }, (_, level) => `d${level}`).join("/");

const shallow = fc
  .array(fc.constantFrom(...SEGMENTS), { minLength: 1, maxLength: 4 })
  .map((all) => all.join("/"));

export const aPath: fc.Arbitrary<GitPath> = fc.oneof(
  { weight: 12, arbitrary: shallow },
  { weight: 1, arbitrary: fc.constantFrom(`${DEEP}/leaf`, `${DEEP}/ü`, `${DEEP.slice(0, -1)}x/leaf`) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "cfg/a",
      "cfg2/a",
      "application.yml",
      "application-dev/x",
      "a b",
      "a=20b",
      "files/a",
    ),
  },
);

const TEXTS = [
  "",
  "\n",
  " padded ",
  "no newline",
  "crlf\r\n",
  "id: /web\ninstances: 2\n",
  "\u0000",
  "null",
  "\xc3\xbcn\xff\n",
];

/** Around what a transaction takes as base64 (384 KiB) and what a value may have (512 KiB); the last are refused. */
const LARGE_KIB = [380, 382, 383, 384, 400, 448, 511, 512, 513, 520];

/** What a file holds, short enough to be read where a property fails: bytes as characters, or a size and a seed. */
export type Content = string | { readonly size: number; readonly seed: number };

const seed = fc.nat(255);
const size = fc.integer({ min: 1, max: 6_000 });
const bytes = fc.array(fc.nat(255), { maxLength: 40 }).map((all) => String.fromCharCode(...all));
const largeSize = fc
  .tuple(fc.constantFrom(...LARGE_KIB), fc.integer({ min: -600, max: 600 }))
  .map(([kib, off]) => kib * KIB + off);

export const aContent: fc.Arbitrary<Content> = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 12, arbitrary: bytes },
  { weight: 6, arbitrary: fc.record({ size, seed }) },
  { weight: 1, arbitrary: fc.record({ size: largeSize, seed }) },
);

/** A seed gives bytes of every value, so that no encoding is left out. */
export function bytesOf(content: Content): Buffer {
  if (typeof content === "string") return Buffer.from(content, "latin1");
  const all = Array.from({ length: 256 }, (_, at) => (at + content.seed) % 256);
  return Buffer.alloc(content.size, Buffer.from(all));
}
