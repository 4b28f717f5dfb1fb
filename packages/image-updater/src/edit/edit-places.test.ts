import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePolicies } from "../policy/parse-policies.ts";
import { canonicalName } from "../reference.ts";
import { editPlaces, type Target } from "./edit-places.ts";
import { findPlaces } from "./find-places.ts";

const GOLDEN = join(import.meta.dirname, "golden");
const WEB = "registry.example:5000/shop/web";
const REPORT = "registry.example:5000/shop/report";

function targets(versions: Readonly<Record<string, string>>, policy = "semver"): Map<string, Target> {
  return new Map(
    Object.entries(versions).map(([name, tag]) => {
      const kind = /^\d+$/.test(tag) ? "numeric" : policy;
      const { images } = parsePolicies(Buffer.from(JSON.stringify({ images: { [name]: { policy: kind } } })));
      const read = images.get(canonicalName(name));
      if (!read) throw new Error("no policy");
      return [canonicalName(name), { policy: read, version: { tag, digest: undefined } }];
    }),
  );
}
const NEWER = targets({ [WEB]: "1.4.2", [REPORT]: "20250102", redis: "7.2.0" });

/** As the bytes are: the file's byte order mark stays. */
const read = (folder: string, file: string) =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(readFileSync(join(GOLDEN, folder, file)));

describe("an edit", () => {
  it.each(readdirSync(join(GOLDEN, "original")))("of %s changes the versions and nothing else", (file) => {
    expect(editPlaces(read("original", file), NEWER).text).toBe(read("expected", file));
    expect(editPlaces(read("expected", file), NEWER)).toMatchObject({
      text: read("expected", file),
      edited: [],
    });
  });

  it("tells what it changed from what to what, in which line", () => {
    const one = (line: number, tag: string) => ({
      name: WEB,
      line,
      from: { tag, digest: undefined },
      to: { tag: "1.4.2", digest: undefined },
    });
    expect(editPlaces(read("original", "several-documents.yaml"), NEWER).edited).toEqual([
      one(4, "1.4.1"),
      one(9, "1.4.0"),
    ]);
  });

  it("tells what it cannot change, and why", () => {
    expect(editPlaces(read("original", "refused.yaml"), NEWER).refused).toEqual([
      { name: WEB, line: 2, why: "is written as a block; write it on the line of its key" },
      { name: WEB, line: 5, why: expect.stringContaining("is written with escapes") },
      { name: WEB, line: 7, why: "is written as a block; write it on the line of its key" },
      { name: WEB, line: 10, why: "is neither the image it is marked as nor a tag" },
      { name: REPORT, line: 12, why: "would not be read as the tag 20250102; put it in quotes" },
    ]);
  });

  it("leaves a file alone that cannot be read", () => {
    const broken = `image: ${WEB}:1.4.1\nimage: twice\n`;
    expect(findPlaces(broken).unreadable).toMatch(/^line 2: /);
    expect(editPlaces(broken, NEWER)).toMatchObject({ text: broken, edited: [] });
  });

  it("takes an old digest away with an old tag, since it would be what runs", () => {
    const digest = `sha256:${"a".repeat(64)}`;
    expect(editPlaces(`image: ${WEB}:1.4.1@${digest}\n`, NEWER).text).toBe(`image: ${WEB}:1.4.2\n`);
  });
});

const quoted = fc.constantFrom(
  (text: string) => text,
  (text: string) => `"${text}"`,
  (text: string) => `'${text}'`,
);
const key = fc.stringMatching(/^[a-z]{1,8}$/);
const filler = fc.record({
  comment: fc.stringMatching(/^[ a-zA-Z:{}#&*"']{0,20}$/),
  blanks: fc.integer({ min: 1, max: 4 }),
  quote: quoted,
  tag: fc.stringMatching(/^[0-9]\.[0-9]\.[0-9]$/),
  crlf: fc.boolean(),
});

it("changes nothing but the version, whatever stands around it", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(key, filler), { minLength: 1, maxLength: 6, selector: ([name]) => name }),
      (rows) => {
        const render = (versionOf: (tag: string) => string) =>
          rows
            .map(([name, { comment, blanks, quote, tag, crlf }]) => {
              const gap = " ".repeat(blanks);
              const end = crlf ? "\r\n" : "\n";
              return `${name}:${end}  image:${gap}${quote(`${WEB}:${versionOf(tag)}`)}${gap}# ${comment}${end}`;
            })
            .join("");
        const after = editPlaces(
          render((tag) => tag),
          targets({ [WEB]: "5.5.5" }),
        ).text;
        expect(after).toBe(render((tag) => (tag < "5.5.5" ? "5.5.5" : tag)));
      },
    ),
  );
});
