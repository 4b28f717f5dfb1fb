import type { CommitId, ErrorCode } from "@sluice/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Bench, bench, commitOf, digestOf, expectedFiles } from "./test-bench.ts";

const NAMES = [
  "a",
  "b.yaml",
  "dir/a",
  "dir/b",
  "dir2/a",
  "dir/deep/er/x",
  "with space",
  "new\nline",
  "ü",
  "-dash",
  "=3D",
  "files/revision",
  "q?&%",
];
const CONTENTS = ["", "1", "2", "three\n", "x".repeat(700), "y".repeat(2500), "\u0000\u0001"];
const FOREIGN = {
  "sluice/staging/files": "no folder",
  "sluice/staging/files2/a": "neighbour",
  "sluice/staging/status/apps/web": "{}",
  "sluice/production/files/a": "other environment",
  other: "else",
};

type Files = Record<string, string>;
type Action =
  | { readonly do: "push"; readonly files: Files }
  | { readonly do: "back" | "absent"; readonly nth: number }
  | { readonly do: "restart" | "depose" }
  | { readonly do: "pass"; readonly ms: number };

const files = fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom(...CONTENTS), { maxKeys: 13 });
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("push" as const), files }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom("back" as const, "absent" as const), nth: fc.nat(20) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("restart" as const, "depose" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(0, 600, 31_000, 700_000) }),
  },
);
/** What happens at one call to the KV. */
type Mishap = ErrorCode | `after:${ErrorCode}` | "crash" | "deposed" | undefined;

const mishap: fc.Arbitrary<Mishap> = fc.oneof(
  { weight: 8, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constant("KV_UNREACHABLE" as const) },
  { weight: 1, arbitrary: fc.constant("after:KV_UNREACHABLE" as const) },
  { weight: 1, arbitrary: fc.constant("crash" as const) },
  { weight: 1, arbitrary: fc.constant("deposed" as const) },
);

/** Limits small enough that these few files need chunks and values beyond a transaction. */
const TIGHT = { operations: 5, bodyBytes: 3_000, valueBytes: 4_000 };

async function play(one: Bench, actions: readonly Action[], commits: Map<string, Files>): Promise<void> {
  for (const step of actions) {
    if (step.do === "push") commits.set(one.source.push(step.files), step.files);
    else if (step.do === "restart") await one.restart();
    else if (step.do === "depose") one.depose();
    else if (step.do === "absent") one.source.reset(undefined);
    else if (step.do === "back") {
      const known = [...commits.keys()];
      if (known.length > 0) one.source.reset(known[step.nth % known.length] as CommitId);
    } else if (step.do === "pass") await one.clock.advance(step.ms);
  }
}

/** Brings the mishaps over the calls to come; the restarts they start are awaited by the result. */
function strike(one: Bench, mishaps: readonly Mishap[]): () => Promise<unknown> {
  const restarts: Promise<void>[] = [];
  let calls = 0;
  one.kv.fault = () => {
    const now = mishaps[calls++];
    if (now === "crash") restarts.push(one.restart());
    else if (now === "deposed") one.depose();
    else return now;
    return undefined;
  };
  return () => {
    one.kv.fault = undefined;
    return Promise.all(restarts);
  };
}

async function holds(limits: object, actions: readonly Action[], mishaps: readonly Mishap[], end: Files) {
  const one = bench(limits);
  const commits = new Map<string, Files>();
  for (const [key, text] of Object.entries(FOREIGN)) one.kv.set(key, text);
  const calm = strike(one, mishaps);
  await play(one, actions, commits);
  if ((await one.source.head()) === undefined) commits.set(one.source.push(end), end);
  await one.clock.advance(600);
  await calm();
  const head = await one.source.head();
  for (let turn = 0; turn < 20; turn++) await one.clock.advance(60_000);
  const wanted = commits.get(head as string) as Files;
  expect(one.files()).toEqual(expectedFiles(wanted));
  const size = Object.keys(wanted).length;
  expect(one.marker()).toMatchObject({ state: "synced", files: size, digest: digestOf(wanted) });
  expect(commitOf(one.marker())).toBe(head);
  for (const [key, text] of Object.entries(FOREIGN)) expect(one.kv.dump()[key]).toBe(text);
  expect(one.mixes).toEqual([]);
  await one.stop();
}

it.each([
  ["single transactions", {}],
  ["chunks", TIGHT],
])(
  "any history with any mishaps ends at the commit's tree, and no reader ever saw a mix (%s)",
  async (_, limits) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 14 }),
        fc.array(mishap, { maxLength: 60 }),
        files,
        (actions, mishaps, end) => holds(limits, actions, mishaps, end),
      ),
      { numRuns: 150 },
    );
  },
);
