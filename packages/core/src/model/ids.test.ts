import { expect, it } from "vitest";
import {
  commitId,
  envName,
  type JobKey,
  jobId,
  jobKey,
  parseRevision,
  revisionOf,
  shortRevision,
  splitJobKey,
  targetName,
} from "./ids.ts";

const SHA = "0123456789abcdef0123456789abcdef01234567";

it.each(["a", "staging", "eu-west-1", "0", "a".repeat(63)])(
  "takes %s for an environment and a target",
  (name) => {
    expect([envName(name), targetName(name)]).toEqual([name, name]);
  },
);

it.each(["", "A", "a_b", "-a", "a-", "a/b", "a.b", "ä", " a", "a\n", "a".repeat(64)])(
  "takes %j for neither",
  (name) => {
    expect(() => envName(name)).toThrow(expect.objectContaining({ code: "USAGE" }));
    expect(() => targetName(name)).toThrow(expect.objectContaining({ code: "USAGE" }));
  },
);

it.each(["locks", "images"])("keeps %s, which stands beside the environments, from being one", (name) => {
  expect(() => envName(name)).toThrow(expect.objectContaining({ code: "USAGE" }));
  expect(targetName(name)).toBe(name);
});

it("takes a job key apart at its first slash", () => {
  const key = jobKey(targetName("apps"), jobId("//shop/web"));
  expect(key).toBe("apps/shop/web");
  expect(splitJobKey(key)).toEqual({ target: "apps", id: "shop/web" });
  expect(splitJobKey("apps/a" as JobKey)).toEqual({ target: "apps", id: "a" });
});

it.each(["", SHA.slice(1), `${SHA}0`, SHA.toUpperCase(), `${SHA}\n`])("refuses %j as a commit", (text) => {
  expect(() => commitId(text)).toThrow(expect.objectContaining({ code: "USAGE" }));
});

it.each(["main", "release/1.x", "odd@sha1:branch"])("reads back a revision of %s", (branch) => {
  const revision = revisionOf(branch, commitId(SHA));
  expect(revision).toBe(`${branch}@sha1:${SHA}`);
  expect(parseRevision(revision)).toEqual({ branch, commit: SHA });
  expect(shortRevision(revision)).toBe(`${branch}@sha1:01234567`);
});

it.each(["", "main", `@sha1:${SHA}`, "main@sha1:", `main@sha256:${SHA}`])(
  "refuses %j as a revision",
  (text) => {
    expect(() => parseRevision(text)).toThrow(expect.objectContaining({ code: "USAGE" }));
  },
);
