import { encodePath, targetName } from "@sluice/core";
import { memorySource } from "@sluice/core/testing";
import { expect, it } from "vitest";
import { toyFormat } from "../testing/toy-format.ts";
import { job } from "../testing/world.ts";
import { reviewer } from "./reviewer.ts";

const formats = new Map([
  [targetName("apps"), toyFormat],
  [targetName("cron"), toyFormat],
]);

/** A source that counts the blobs it reads. */
function countingSource() {
  const source = memorySource();
  const counted = { blobs: 0, trees: 0 };
  const { blobs, tree } = source;
  source.blobs = {
    ...blobs,
    read(oids, signal) {
      counted.blobs += oids.length;
      return blobs.read(oids, signal);
    },
  };
  source.tree = (commit, signal) => {
    counted.trees += 1;
    return tree(commit, signal);
  };
  return { source, counted };
}

it("tells what a push creates, updates by field with secrets masked, and prunes", async () => {
  const { source } = countingSource();
  const from = source.push({
    "apps/web.yaml": job("web", { image: "1", password: "old" }),
    "apps/old.yaml": job("old"),
    "apps/same.yaml": job("same", { a: 1, b: 2 }),
  });
  const to = source.push({
    "apps/web.yaml": job("web", { image: "2", password: "new" }),
    "apps/same.yaml": job("same", { b: 2, a: 1 }),
    "cron/new.yaml": job("new"),
  });
  const review = await reviewer({ formats }).review(source, from, to);
  expect(review).toEqual({
    problems: [],
    jobs: 3,
    changes: [
      {
        kind: "update",
        key: "apps/web",
        fields: [
          { path: "image", from: "1", to: "2" },
          { path: "password", from: "•••", to: "•••" },
        ],
      },
      { kind: "create", key: "cron/new", fields: [] },
      { kind: "prune", key: "apps/old", fields: [] },
    ],
  });
});

it("reads only what a push changes once it has seen the environment", async () => {
  const { source, counted } = countingSource();
  const files = Object.fromEntries(
    Array.from({ length: 50 }, (_, at) => [`apps/job-${at}.yaml`, job(`job-${at}`)]),
  );
  const a = source.push(files);
  const b = source.push({ ...files, "apps/job-7.yaml": job("job-7", { image: "2" }) });
  const c = source.push({ ...files, "apps/job-8.yaml": job("job-8", { image: "2" }) });
  const review = reviewer({ formats });
  await review.review(source, a, b);
  const before = { ...counted };
  const { changes } = await review.review(source, a, c);
  expect(changes.map(({ key }) => key)).toEqual(["apps/job-8"]);
  expect({ blobs: counted.blobs - before.blobs, trees: counted.trees - before.trees }).toEqual({
    blobs: 1,
    trees: 0,
  });
});

it("still reviews after a push it saw was refused and its objects are gone", async () => {
  const whole = memorySource();
  const a = whole.push({ "apps/web.yaml": job("web") });
  const other = memorySource();
  other.push({});
  const refused = other.push({ "apps/bad.yaml": job("bad") });
  const review = reviewer({ formats });
  await review.review(other, undefined, refused);
  const { changes } = await review.review(whole, undefined, a);
  expect(changes).toEqual([{ kind: "create", key: "apps/web", fields: [] }]);
});

it("names every problem with file, line and key, and takes no unreadable file for a removal", async () => {
  const { source } = countingSource();
  const from = source.push({ "apps/web.yaml": job("web"), "apps/api.yaml": job("api") });
  const to = source.push({
    "apps/web.yaml": "id: [",
    "apps/api.yaml": job("api", { sluice: { dependsOn: ["none"] } }),
  });
  const { problems, changes } = await reviewer({ formats }).review(source, from, to);
  expect(problems.map(({ file, line, reason }) => ({ file, line, reason }))).toEqual([
    { file: "apps/web.yaml", line: 1, reason: "InvalidSpec" },
  ]);
  expect(changes).toEqual([]);
});

it("finds problems of deploy.yaml and of jobs against each other in files that are no commit", () => {
  const text = (path: string, content: string) => ({ path: encodePath(path), bytes: Buffer.from(content) });
  const { problems, changes, jobs } = reviewer({ formats }).checkFiles([
    text("deploy.yaml", "targets:\n  apps:\n    dependOn: [cron]\n"),
    text("apps/a.yaml", job("a", { sluice: { dependsOn: ["b"] } })),
    text("apps/b.yaml", job("b", { sluice: { dependsOn: ["a"] } })),
    text("cron/c.yaml", job("c")),
    text("cron/d.yaml", job("c")),
    text("cron/e.yaml", job("e")),
    text("elsewhere/f.yaml", "id: ["),
  ]);
  expect(problems.map(({ file, line, reason, key }) => [file, line, reason, key])).toEqual([
    ["deploy.yaml", 3, "InvalidSpec", "targets.apps.dependOn"],
    ["cron/c.yaml", 1, "Duplicate", undefined],
    ["cron/d.yaml", 1, "Duplicate", undefined],
    ["apps/a.yaml", 1, "DependencyCycle", "sluice.dependsOn"],
    ["apps/b.yaml", 1, "DependencyCycle", "sluice.dependsOn"],
  ]);
  expect(problems[0]?.message).toBe('unknown key "dependOn" (did you mean "dependsOn"?)');
  expect([changes, jobs]).toEqual([[{ kind: "create", key: "cron/e", fields: [] }], 1]);
});

it("refuses a job file that becomes a link or a pointer, however the review came by it", async () => {
  const source = memorySource();
  const files = { "apps/web.yaml": job("web"), "apps/note.yaml": job("note"), "README.md": "x" };
  const from = source.push(files);
  const to = source.push({ ...files, "apps/note.yaml": job("note", { a: 1 }) });
  const turned = new Map([
    ["apps/web.yaml", "symlink"],
    ["README.md", "symlink"],
  ] as const);
  const { tree, changes } = source;
  source.tree = async (commit, signal) =>
    (await tree(commit, signal)).map((file) => ({
      ...file,
      kind: (commit === to && turned.get(file.path as "README.md")) || file.kind,
    }));
  source.changes = async (a, b, signal) => {
    const [path, oid] = [
      encodePath("apps/web.yaml"),
      (await tree(to)).find((file) => file.path === "apps/web.yaml")?.oid,
    ];
    if (!oid) return changes(a, b, signal);
    return [
      ...(await changes(a, b, signal)),
      { path, from: { path, oid, kind: "file" }, to: { path, oid, kind: "symlink" } },
    ];
  };
  const fresh = await reviewer({ formats }).review(source, from, to);
  expect(fresh.problems).toEqual([
    {
      file: "apps/web.yaml",
      reason: "InvalidSpec",
      message: "the job file is a symlink now, which is not followed, so its job would be removed",
      hint: "Make it a plain file; to remove the job, delete the file.",
    },
  ]);
  const onlyTrees = reviewer({ formats });
  await onlyTrees.review(source, undefined, from);
  expect((await onlyTrees.review(source, from, to)).problems).toEqual(fresh.problems);
});
