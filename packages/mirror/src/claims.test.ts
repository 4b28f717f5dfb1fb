import type { CommitId, ErrorCode } from "@sluice/core";
import { memorySource } from "@sluice/core/testing";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { expandedSource } from "./expand/expanded-source.ts";
import { keyOfPath } from "./expand/key-name.ts";
import type { ExpandRules } from "./expand/rules.ts";
import { rulesOf } from "./expand/test-rules.ts";
import { type Bench, bench, commitOf } from "./test-bench.ts";

const OWN = "sluice/";
const REF = "cfg/app/main.ref";

let one: Bench;
afterEach(() => one.stop());

/** A mirror of shared keys; the rules are asked for at every start, as a restart with another configuration does. */
function shared(rules: () => ExpandRules, limits = {}, writeRef = false): Bench {
  return bench(limits, (source) => ({
    source: expandedSource(source, rules()),
    sharedKeys: { ref: REF, writeRef },
  }));
}

/** Everything in the KV that is not Sluice's own. */
function keys(): Record<string, string> {
  return Object.fromEntries(Object.entries(one.kv.dump()).filter(([key]) => !key.startsWith(OWN)));
}

function claims(): string[] {
  const prefix = "sluice/staging/claims/";
  return Object.keys(one.kv.dump(prefix)).map((key) => keyOfPath(key.slice(prefix.length) as never));
}

function operations(): string[] {
  return one.kv.commits.flat().map(({ verb, key }) => `${verb} ${key}`);
}

const APP = rulesOf({ prefix: "cfg/app", expand: true, lists: "index" });

describe("a mirror of shared keys", () => {
  it("writes keys as people spell them, claims them, and lets go of those that are gone", async () => {
    one = shared(() => APP);
    one.kv.set("cfg/app/foreign", "mine");
    one.source.push({ "a b.json": '{"ü x":{"y":[1,2]}}', "plain ü": "t" });
    await one.settle();
    expect(keys()).toEqual({
      "cfg/app/a b.json/%C3%BC%20x/y/0": "1",
      "cfg/app/a b.json/%C3%BC%20x/y/1": "2",
      "cfg/app/foreign": "mine",
      "cfg/app/plain ü": "t",
    });
    expect(claims().sort()).toEqual(Object.keys(keys()).filter((key) => key !== "cfg/app/foreign"));
    one.source.push({ "plain ü": "t" });
    await one.settle();
    expect(keys()).toEqual({ "cfg/app/foreign": "mine", "cfg/app/plain ü": "t" });
    expect(claims()).toEqual(["cfg/app/plain ü"]);
  });

  it("repairs its own keys and never looks at others, not even to list them", async () => {
    one = shared(() => APP);
    one.source.push({ a: "1", b: "2" });
    await one.settle();
    one.kv.set("cfg/app/a", "changed");
    one.kv.unset("cfg/app/b");
    one.kv.set("cfg/app/c", "foreign");
    const lists: string[] = [];
    const list = one.kv.list;
    one.kv.list = (prefix, signal) => {
      lists.push(prefix);
      return list(prefix, signal);
    };
    await one.clock.advance(700_000);
    expect(keys()).toEqual({ "cfg/app/a": "1", "cfg/app/b": "2", "cfg/app/c": "foreign" });
    expect(lists.filter((prefix) => !prefix.startsWith(OWN))).toEqual([]);
  });

  it("removes its keys where the rules of before put them, and nothing beside them", async () => {
    let rules = APP;
    one = shared(() => rules);
    one.kv.set("cfg/new/b", "foreign");
    one.source.push({ a: "1", "c.json": '{"x":1}' });
    await one.settle();
    one.kv.set("cfg/app/b", "foreign");
    rules = rulesOf({ prefix: "cfg/new", expand: true, dropExtensions: true });
    await one.restart();
    await one.clock.advance(60_000);
    expect(keys()).toEqual({
      "cfg/app/b": "foreign",
      "cfg/new/a": "1",
      "cfg/new/b": "foreign",
      "cfg/new/c/x": "1",
    });
    expect(claims().sort()).toEqual(["cfg/new/a", "cfg/new/c/x"]);
  });

  it("refuses a revision whose files collide, keeps the one before, and says which files", async () => {
    one = shared(() => ({ ...APP, dropExtensions: true }));
    const first = one.source.push({ "a.json": '{"x":1}' });
    await one.settle();
    one.source.push({ "a.json": '{"x":1}', "a.yml": "x: 2" });
    await one.settle();
    expect(keys()).toEqual({ "cfg/app/a/x": "1" });
    expect(commitOf(one.marker())).toBe(first);
    expect(one.sink.of("mirror.refused")).toMatchObject([
      { problems: [{ file: "a.yml", reason: "Duplicate", message: expect.stringContaining('"a.json"') }] },
    ]);
    one.source.push({ "a.yml": "x: 3" });
    await one.settle();
    expect(keys()).toEqual({ "cfg/app/a/x": "3" });
  });
});

describe("adopting what git2consul wrote", () => {
  it("writes nothing but Sluice's own records where nothing changed", async () => {
    one = shared(() => APP);
    const commit = one.source.push({ a: "1", "b.json": '{"x":"y"}' });
    for (const [key, text] of [
      ["a", "1"],
      ["b.json/x", "y"],
      ["other", "z"],
    ])
      one.kv.set(`cfg/app/${key}`, text as string);
    one.kv.set(REF, commit);
    const before = keys();
    await one.settle();
    expect(keys()).toEqual(before);
    expect(operations().filter((op) => !op.includes(` ${OWN}`))).toEqual([]);
    expect(one.marker()).toMatchObject({ state: "synced", files: 2 });
  });

  it("removes the keys of files that were deleted since the commit its ref names, and nothing else", async () => {
    one = shared(() => APP, {}, true);
    const old = one.source.push({ a: "1", "b.json": '{"x":"y","z":"1"}', gone: "1" });
    for (const key of ["a", "b.json/x", "b.json/z", "gone", "gone2", "b.json/foreign"])
      one.kv.set(`cfg/app/${key}`, "1");
    one.kv.set(REF, old);
    const now = one.source.push({ a: "1", "b.json": '{"x":"2"}' });
    await one.settle();
    expect(keys()).toEqual({
      "cfg/app/a": "1",
      "cfg/app/b.json/foreign": "1",
      "cfg/app/b.json/x": "2",
      "cfg/app/gone2": "1",
      [REF]: now,
    });
    expect(claims().sort()).toEqual(["cfg/app/a", "cfg/app/b.json/x"]);
  });

  it.each([
    ["names a commit the repository does not have", "0123456789012345678901234567890123456789", 1],
    ["is empty", "", 0],
    ["is no commit", "main", 0],
  ])("deletes nothing where the ref %s", async (_, ref, told) => {
    one = shared(() => APP);
    one.kv.set("cfg/app/old", "1");
    one.kv.set(REF, ref);
    one.source.push({ a: "1" });
    await one.settle();
    expect(keys()).toEqual({ "cfg/app/a": "1", "cfg/app/old": "1", [REF]: ref });
    expect(one.sink.of("mirror.skipped")).toHaveLength(told);
  });
});

const NAMES = ["a.json", "a.yaml", "b", "d/c.properties", "d/e", "ü"];
const CONTENTS = ['{"x":1}', '{"x":1,"y":{"z":2}}', "x: 3", "k=v", "text", "l".repeat(2_500)];
const files = fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom(...CONTENTS), { maxKeys: 5 });
const foreign = fc.dictionary(
  fc.constantFrom("f", "d/f", "a.json/f", "a/f", "b2", "d", "zz/x", "a.yaml"),
  fc.constantFrom("1", "2"),
);
const RULES: readonly ExpandRules[] = [
  rulesOf({ prefix: "cfg/app", expand: true, invalid: "raw" }),
  rulesOf({ prefix: "cfg/app", expand: true, invalid: "raw", dropExtensions: true }),
  rulesOf({ prefix: "cfg", sourceRoot: "d" }),
  rulesOf({ prefix: "", expand: false }),
];
type Step = { push: Record<string, string> } | { rules: number } | "crash" | "wait";
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: files.map((push) => ({ push })) },
  { weight: 1, arbitrary: fc.nat(RULES.length - 1).map((rules) => ({ rules })) },
  { weight: 1, arbitrary: fc.constantFrom("crash" as const, "wait" as const) },
);
const mishap = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom("KV_UNREACHABLE" as const, "after:KV_UNREACHABLE" as const) },
);

/** Every key that a file of one of these states may have under any of the rules; no foreigner may be called so. */
async function possibleKeys(states: readonly Record<string, string>[]): Promise<Set<string>> {
  const possible = new Set<string>();
  const source = memorySource();
  for (const state of states) {
    const commit = source.push(state);
    for (const rules of RULES) {
      const tree = await expandedSource(source, rules)
        .tree(commit)
        .catch(() => []);
      for (const { path } of tree) possible.add(keyOfPath(path));
    }
  }
  return possible;
}

interface Story {
  readonly steps: readonly Step[];
  readonly strangers: Record<string, string>;
  readonly mishaps: readonly (ErrorCode | `after:${ErrorCode}` | undefined)[];
  readonly end: Record<string, string>;
}
const story: fc.Arbitrary<Story> = fc.record({
  steps: fc.array(step, { maxLength: 8 }),
  strangers: foreign,
  mishaps: fc.array(mishap, { maxLength: 40 }),
  end: files,
});

async function holds(limits: object, { steps, strangers, mishaps, end }: Story): Promise<void> {
  const pushes = steps.flatMap((now) => (typeof now === "object" && "push" in now ? [now.push] : []));
  const possible = await possibleKeys([...pushes, end]);
  const named = Object.entries(strangers).map(([name, text]): [string, string] => [`cfg/app/${name}`, text]);
  const expected = Object.fromEntries(named.filter(([key]) => !possible.has(key)));
  let rules = RULES[0] as ExpandRules;
  one = shared(() => rules, limits);
  for (const [key, text] of Object.entries(expected)) one.kv.set(key, text);
  let calls = 0;
  one.kv.fault = () => mishaps[calls++];
  for (const now of steps) {
    if (now === "wait") await one.clock.advance(31_000);
    else if (typeof now === "object" && "push" in now) one.source.push(now.push);
    else {
      if (now !== "crash") rules = RULES[now.rules] as ExpandRules;
      await one.restart();
    }
  }
  one.kv.fault = undefined;
  rules = RULES[0] as ExpandRules;
  await one.restart();
  one.source.push(end);
  for (let turn = 0; turn < 20; turn++) await one.clock.advance(60_000);
  const written = await contents(one, rules);
  expect(keys()).toEqual({ ...expected, ...written });
  expect(claims().sort()).toEqual(Object.keys(written).sort());
  expect(one.marker()?.state).toBe("synced");
  await one.stop();
}

it.each([
  ["single transactions", {}],
  ["chunks", { operations: 5, bodyBytes: 3_000, valueBytes: 4_000 }],
])(
  "foreign keys always survive, and the rest is what the last commit's files are (%s)",
  async (_, limits) => {
    await fc.assert(
      fc.asyncProperty(story, (told) => holds(limits, told)),
      { numRuns: 120 },
    );
  },
);

async function contents({ source }: Bench, rules: ExpandRules): Promise<Record<string, string>> {
  const view = expandedSource(source, rules);
  const tree = await view.tree((await source.head()) as CommitId);
  const texts: string[] = [];
  for await (const bytes of view.blobs.read(tree.map(({ oid }) => oid)))
    texts.push(Buffer.from(bytes).toString());
  return Object.fromEntries(tree.map(({ path }, at) => [keyOfPath(path), texts[at] as string]));
}
