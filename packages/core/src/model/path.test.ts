import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodePath, displayPath, encodePath, type FilePath } from "./path.ts";

const segment = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((bytes) => bytes.map((byte) => (byte === 0x2f ? 0x5f : byte)))
  .filter((bytes) => !["", ".", ".."].includes(Buffer.from(bytes).toString("latin1")));
const path = fc
  .array(segment, { minLength: 1, maxLength: 5 })
  .map((segments) =>
    Buffer.concat(segments.flatMap((one, at) => (at === 0 ? [one] : [Buffer.from("/"), one]))),
  );

describe("a path as a key", () => {
  it("comes back byte for byte", () => {
    fc.assert(
      fc.property(path, (bytes) => {
        expect(Buffer.compare(decodePath(encodePath(bytes)), bytes)).toBe(0);
      }),
    );
  });

  it("is made of the allowed characters alone", () => {
    fc.assert(
      fc.property(path, (bytes) => {
        expect(encodePath(bytes)).toMatch(/^([A-Za-z0-9._/-]|=[0-9A-F]{2})+$/);
      }),
    );
  });

  it("is another key for another path", () => {
    fc.assert(
      fc.property(path, path, (a, b) => {
        expect(encodePath(a) === encodePath(b)).toBe(Buffer.compare(a, b) === 0);
      }),
    );
  });

  it.each([
    ["apps/shop/web.yaml", "apps/shop/web.yaml"],
    ["a b", "a=20b"],
    ["a=b", "a=3Db"],
    ["ä", "=C3=A4"],
    ["a?b#c%2F", "a=3Fb=23c=252F"],
    ["...", "..."],
    [".hidden", ".hidden"],
    [Uint8Array.of(0xff, 0x00), "=FF=00"],
  ])("spells %j as %s", (from, to) => {
    expect(encodePath(from)).toBe(to);
  });

  it("looks at its own part of a shared buffer only", () => {
    expect(encodePath(Buffer.from("xx/a b").subarray(3))).toBe("a=20b");
  });

  it.each(["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/."])("refuses %j", (unsafe) => {
    expect(() => encodePath(unsafe)).toThrow(expect.objectContaining({ code: "PATH_UNSAFE" }));
  });
});

describe("a path for people", () => {
  it.each([
    ["a/b.yaml", "a/b.yaml"],
    ["mein größtes.yaml", "mein größtes.yaml"],
    ["日本/🚀", "日本/🚀"],
    ["a\u001b[31mb", "a=1B=5B31mb"],
    ["a\nb", "a=0Ab"],
    ["a\u009bb", "a=C2=9Bb"],
    ["gpj\u202eyaml", "gpj=E2=80=AEyaml"],
    [Uint8Array.of(0x61, 0xff), "a=FF"],
  ])("shows %j as %j", (from, to) => {
    expect(displayPath(encodePath(from))).toBe(to);
  });

  it("never holds a control or direction character", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          path,
          fc.string({ unit: "binary", maxLength: 20 }).map((text) => Buffer.from(`x${text}`)),
        ),
        (bytes) => {
          let key: FilePath;
          try {
            key = encodePath(bytes);
          } catch {
            return;
          }
          expect(displayPath(key)).not.toMatch(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffd]/u);
        },
      ),
    );
  });
});
