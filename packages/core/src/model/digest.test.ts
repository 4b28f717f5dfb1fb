import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blobId, EMPTY_DIGEST, toggleFiles } from "./digest.ts";
import type { ObjectId } from "./ids.ts";
import type { FilePath } from "./path.ts";

const file = fc.record({
  path: fc.stringMatching(/^[a-z]{1,4}$/).map((path) => path as FilePath),
  oid: fc.stringMatching(/^[0-9a-f]{40}$/).map((oid) => oid as ObjectId),
});
const files = fc.uniqueArray(file, { selector: (one) => one.path, maxLength: 12 });

describe("the digest of a set of files", () => {
  it("is 64 hex digits, and zeros for the empty set", () => {
    expect(toggleFiles(EMPTY_DIGEST, [])).toBe("0".repeat(64));
    fc.assert(
      fc.property(files, (set) => {
        expect(toggleFiles(EMPTY_DIGEST, set)).toMatch(/^[0-9a-f]{64}$/);
      }),
    );
  });

  it("does not depend on the order", () => {
    fc.assert(
      fc.property(
        files.chain((set) => fc.tuple(fc.constant(set), fc.shuffledSubarray(set, { minLength: set.length }))),
        ([set, shuffled]) => {
          expect(toggleFiles(EMPTY_DIGEST, shuffled)).toBe(toggleFiles(EMPTY_DIGEST, set));
        },
      ),
    );
  });

  it("moves from one set to another by what differs", () => {
    fc.assert(
      fc.property(files, files, (from, to) => {
        const moved = toggleFiles(toggleFiles(EMPTY_DIGEST, from), [...from, ...to]);
        expect(moved).toBe(toggleFiles(EMPTY_DIGEST, to));
      }),
    );
  });

  it("is the SHA-256 of path, NUL and id for one file, since the KV remembers it between versions", () => {
    const oid = "1".repeat(40) as ObjectId;
    const sum = createHash("sha256").update(`a\0${oid}`).digest("hex");
    expect(toggleFiles(EMPTY_DIGEST, [{ path: "a" as FilePath, oid }])).toBe(sum);
  });

  it("tells apart sets that differ in a path or in a content", () => {
    const one = { path: "a" as FilePath, oid: "1".repeat(40) as ObjectId };
    const digests = [
      [],
      [one],
      [{ ...one, path: "b" as FilePath }],
      [{ ...one, oid: "2".repeat(40) as ObjectId }],
    ].map((set) => toggleFiles(EMPTY_DIGEST, set));
    expect(new Set(digests).size).toBe(4);
  });
});

it.each([Buffer.alloc(0), Buffer.from("hello\n"), Buffer.from([0, 255, 10, 13]), Buffer.alloc(70_000, "ä")])(
  "a blob's id is the one `git hash-object` gives (case %#)",
  (bytes) => {
    const git = execFileSync("git", ["hash-object", "--stdin", "--no-filters"], { input: bytes });
    expect(blobId(bytes)).toBe(git.toString().trim());
  },
);
