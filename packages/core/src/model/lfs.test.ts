import { describe, expect, it } from "vitest";
import { isLfsPointer } from "./lfs.ts";

const VERSION = "version https://git-lfs.github.com/spec/v1\n";
const OID = "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n";

describe("a Git LFS pointer", () => {
  it.each([
    ["as Git LFS writes it", `${VERSION}${OID}size 12345\n`],
    ["with an extension", `${VERSION}ext-0-foo sha256:${"a".repeat(64)}\n${OID}size 1\n`],
    ["of a later version of the format", `version https://git-lfs.github.com/spec/v2\n${OID}size 1\n`],
    ["whose last line was cut", `${VERSION}${OID.trimEnd()}`],
  ])("is known %s", (_, text) => {
    expect(isLfsPointer(Buffer.from(text))).toBe(true);
  });

  it.each([
    ["nothing", ""],
    ["a file that only speaks of it", `# ${VERSION}${OID}`],
    ["its first line alone", VERSION],
    ["the start of its first line", VERSION.slice(0, 20)],
    ["a version key of something else", `version 1\n${OID}`],
    ["a file that starts alike and goes on", `${VERSION}${OID}${"x".repeat(1024)}`],
  ])("is not %s", (_, text) => {
    expect(isLfsPointer(Buffer.from(text))).toBe(false);
  });

  it("is known in a part of a larger buffer", () => {
    const text = `${VERSION}${OID}size 1\n`;
    const larger = Buffer.from(`xxxx${text}yyyy`);
    expect(isLfsPointer(larger.subarray(4, 4 + text.length))).toBe(true);
  });
});
