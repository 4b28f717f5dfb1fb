import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Announced } from "./announcement.ts";
import { decide, isOutdated, type Mark, type Version } from "./decide.ts";
import { type ImagePolicy, parsePolicies } from "./policy/parse-policies.ts";

function policy(settings: object): ImagePolicy {
  const { images, problems } = parsePolicies(
    Buffer.from(JSON.stringify({ images: { "shop/web": settings } })),
  );
  expect(problems).toEqual([]);
  const [read] = images.values();
  if (!read) throw new Error("no policy");
  return read;
}

const digest = (of: number) => `sha256:${of.toString(16).padStart(64, "0")}`;
const number = fc.integer({ min: 0, max: 40 });
/** Each policy with tags whose number says which is newer. */
const POLICIES: readonly [string, object, (n: number) => Announced][] = [
  ["semver", { policy: "semver" }, (n) => ({ tag: `v1.${Math.floor(n / 7)}.${n % 7}` })],
  ["semver in a pattern", { policy: "semver", match: "v?(.+)-alpine" }, (n) => ({ tag: `1.${n}.0-alpine` })],
  [
    "numeric",
    { policy: "numeric", match: "build-(?<version>\\d+)-[a-z]+" },
    (n) => ({ tag: `build-${n}-x` }),
  ],
  ["alphabetical", { policy: "alphabetical" }, (n) => ({ tag: `2026-${String(n).padStart(3, "0")}` })],
  [
    "one tag by digest",
    { policy: "exact", tag: "stable", digest: true },
    (n) => ({ tag: "stable", digest: digest(n), at: new Date(n * 1000).toISOString() }),
  ],
  ["digest", { policy: "digest" }, (n) => ({ digest: digest(n), at: new Date(n * 1000).toISOString() })],
];

describe.each(POLICIES)("the policy %s", (_, settings, said) => {
  it("never goes back, in whatever order and however often versions are announced", () => {
    const image = policy(settings);
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 20 }), (numbers) => {
        let current: Version = { tag: undefined, digest: undefined };
        let mark: Mark | undefined;
        let highest = -1;
        const heard: Announced[] = [];
        for (const n of numbers) {
          heard.unshift(said(n));
          highest = Math.max(highest, n);
          const { target, mark: next } = decide(image, heard, [current], mark);
          if (target && isOutdated(image, target, current)) current = target;
          mark = next;
          const { tag, digest: id } = said(highest);
          expect(current).toEqual({ tag, digest: image.digest ? id : undefined });
        }
      }),
    );
  });

  it("leaves alone what it wrote and a person took back", () => {
    const image = policy(settings);
    fc.assert(
      fc.property(number, number, (older, step) => {
        const newer = older + step + 1;
        const heard = [said(newer), said(older)];
        const { tag, digest: id } = said(older);
        const back = { tag, digest: image.digest ? id : undefined };
        const { mark } = decide(image, heard, [back], undefined);
        expect(decide(image, heard, [back], mark).target).toBeUndefined();
        const { tag: next } = said(newer + 1);
        expect(decide(image, [said(newer + 1), ...heard], [back], mark).target?.tag).toBe(next);
      }),
    );
  });
});

describe("a version that cannot be used", () => {
  it.each([
    [{ policy: "semver" }, { tag: "latest" }, "is no semantic version"],
    [{ policy: "semver" }, { tag: "2.0.0-rc.1" }, "is a prerelease"],
    [{ policy: "semver", range: "~1.4" }, { tag: "1.5.0" }, "is not in the range ~1.4"],
    [{ policy: "semver", match: "v(.+)" }, { tag: "1.5.0" }, "does not match the pattern"],
    [{ policy: "numeric" }, { tag: "12a" }, "is no number"],
    [{ policy: "exact", tag: "stable" }, { tag: "edge" }, "is not stable"],
    [{ policy: "semver" }, { digest: digest(1) }, "names no tag"],
    [
      { policy: "semver", digest: true },
      { tag: "1.0.0" },
      "names no digest, and this image is to be named by its digest",
    ],
  ])("under %j, %j: it %s", (settings, said, why) => {
    const { target, refused } = decide(
      policy(settings),
      [said],
      [{ tag: "0.1.0", digest: undefined }],
      undefined,
    );
    expect([target, refused.map((one) => one.why)]).toEqual([undefined, [why]]);
  });

  it("is one whose pattern takes for ever", () => {
    const slow = policy({ policy: "alphabetical", match: "(a+)+b" });
    expect(() => decide(slow, [{ tag: "a".repeat(100) }], [], undefined)).toThrow(/takes too long/);
  });
});

it("takes prereleases where the policy says so", () => {
  const image = policy({ policy: "semver", prerelease: true });
  const heard = [{ tag: "2.0.0-rc.1" }, { tag: "1.9.0" }];
  expect(decide(image, heard, [{ tag: "1.9.0", digest: undefined }], undefined).target?.tag).toBe(
    "2.0.0-rc.1",
  );
});
