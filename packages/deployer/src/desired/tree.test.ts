import {
  blobId,
  type DesiredFile,
  EMPTY_DIGEST,
  encodePath,
  type FilePath,
  type JobKey,
  type ObjectId,
  type Revision,
  type RevisionMarker,
  targetName,
} from "@sluice/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { defaultPolicy, type Policy } from "../policy/policy.ts";
import { toyFormat } from "../testing/toy-format.ts";
import { parseJobFile } from "./parse-file.ts";
import { applyPatch, newTree, type Tree } from "./tree.ts";

const [APPS, CRON] = [targetName("apps"), targetName("cron")];
const FORMATS = new Map([APPS, CRON].map((target) => [target, toyFormat]));
const IDS = ["a", "b", "c", "d"] as const;

/** What stands in a file: jobs with what they depend on, or nothing that can be read. */
type Content =
  | readonly { readonly id: string; readonly dependsOn: readonly string[]; readonly image: number }[]
  | "broken";

const content: fc.Arbitrary<Content> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.array(
      fc.record({
        id: fc.constantFrom(...IDS),
        dependsOn: fc.oneof(
          { weight: 3, arbitrary: fc.constant([]) },
          fc.uniqueArray(fc.constantFrom(...IDS), { maxLength: 2 }),
        ),
        image: fc.nat(2),
      }),
      { minLength: 0, maxLength: 2 },
    ),
  },
  { weight: 1, arbitrary: fc.constant("broken" as const) },
);
const path = fc
  .constantFrom("apps/1.yaml", "apps/2.yaml", "apps/3.yaml", "cron/4.yaml", "README.md")
  .map((one) => encodePath(one));
const change = fc.array(fc.tuple(path, fc.option(content, { nil: undefined })), {
  minLength: 1,
  maxLength: 3,
});

function bytesOf(what: Content): Uint8Array {
  if (what === "broken") return Buffer.from("id: [");
  return Buffer.from(
    what
      .map(({ id, dependsOn, image }) => JSON.stringify({ id, image, sluice: { dependsOn } }))
      .join("\n---\n"),
  );
}

function markerOf(number: number): RevisionMarker {
  const revision = `main@sha1:${String(number).padStart(40, "0")}` as Revision;
  return { state: "synced", revision, previous: undefined, files: 0, digest: EMPTY_DIGEST, at: "" };
}

/** Everything a tree says, in a form that does not depend on the order in which it came to be. */
function said(tree: Tree) {
  const { desired, named, files, oids } = tree;
  const sorted = (texts: Iterable<string>) => [...texts].sort();
  return {
    jobs: sorted([...desired.jobs.values()].map((job) => JSON.stringify(job))),
    problems: sorted(new Set(desired.problems.map(({ file, reason, line }) => `${file} ${reason} ${line}`))),
    stalled: sorted(desired.stalled.keys()),
    broken: sorted([...desired.broken].map(([target, paths]) => `${target}: ${sorted(paths)}`)),
    named: sorted([...named].map(([key, times]) => `${key} ${times}`)),
    files: sorted(files.keys()),
    oids: sorted([...oids].map(([file, oid]) => `${file} ${oid}`)),
  };
}

function policies(): Policy[] {
  const plain = defaultPolicy([APPS, CRON]);
  const ordered = new Map(
    [...plain].map(([name, one]) => [name, name === CRON ? { ...one, dependsOn: [APPS] } : one]),
  );
  return [plain, ordered];
}

it("moved from change to change, a tree says what reading it all anew would say", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), fc.constantFrom(...policies()), (changes, policy) => {
      const contents = new Map<FilePath, Uint8Array>();
      const tree = newTree({
        marker: markerOf(0),
        oids: new Map(),
        files: new Map(),
        policy,
        policyProblems: [],
      });
      for (const [number, one] of changes.entries()) {
        const oids = new Map<FilePath, ObjectId | undefined>();
        const files = new Map<FilePath, DesiredFile | undefined>();
        for (const [file, what] of one) {
          const bytes = what && bytesOf(what);
          if (bytes) contents.set(file, bytes);
          else contents.delete(file);
          oids.set(file, bytes && blobId(bytes));
          files.set(file, bytes && parseJobFile({ path: file, bytes }, policy, FORMATS));
        }
        const before = new Map(tree.desired.jobs);
        const stalled = new Set(tree.desired.stalled.keys());
        const changed = applyPatch(tree, { marker: markerOf(number + 1), oids, files });
        const anew = readAnew(contents, policy);
        expect(said(tree)).toEqual(said(anew));
        for (const key of new Set([
          ...before.keys(),
          ...tree.jobs.keys(),
          ...stalled,
          ...tree.desired.stalled.keys(),
        ]))
          if (differs(key, before, stalled, tree)) expect(changed).toContain(key);
      }
    }),
    { numRuns: 400 },
  );
});

function readAnew(contents: ReadonlyMap<FilePath, Uint8Array>, policy: Policy): Tree {
  const files = new Map<FilePath, DesiredFile>();
  for (const [file, bytes] of contents) {
    const parsed = parseJobFile({ path: file, bytes }, policy, FORMATS);
    if (parsed) files.set(file, parsed);
  }
  const oids = new Map([...contents].map(([file, bytes]) => [file, blobId(bytes)]));
  return newTree({ marker: markerOf(0), oids, files, policy, policyProblems: [] });
}

function differs(key: JobKey, before: Tree["jobs"], stalled: ReadonlySet<JobKey>, tree: Tree): boolean {
  return (
    before.get(key)?.fingerprint !== tree.jobs.get(key)?.fingerprint ||
    stalled.has(key) !== tree.desired.stalled.has(key)
  );
}
