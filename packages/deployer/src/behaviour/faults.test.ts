import fc from "fast-check";
import { expect, it } from "vitest";
import { event } from "../testing/faults/events.ts";
import { agree, begin, play, type Story, suspend } from "../testing/faults/story.ts";
import {
  FOREIGN,
  idOf,
  keysOf,
  TARGETS,
  type Target,
  targetOf,
  type Wanted,
} from "../testing/faults/wishes.ts";
import { MARK } from "../testing/world.ts";

/** The faults end, nothing is suspended, and a person asks for what failed to be tried again and agrees to the removals. */
async function heal(story: Story): Promise<void> {
  const { w, faults } = story;
  faults.kv = [];
  faults.scheduler = [];
  suspend(story, []);
  for (const target of TARGETS) {
    w[target].afterApply = () => ({ health: "Healthy", message: "running" });
    for (const id of w[target].jobs.keys()) w[target].observe(id, { health: "Healthy", message: "running" });
  }
  await w.clock.advance(60_000);
  for (let round = 0; round < 3; round++) {
    agree(story, true);
    await w.clock.advance(70_000);
  }
  // What was put right again and again by then has waited long enough after this.
  await w.clock.advance(31 * 60_000);
}

/** Jobs that can be applied: not behind, through others, one whose file cannot be read, or which belongs to others. */
function applicable(wanted: Wanted): string[] {
  const keys = keysOf(wanted).filter((key) => key !== wanted.broken?.key);
  if (!wanted.chained) return keys.filter((key) => idOf(key) !== FOREIGN);
  const stuck = keys.findIndex((key) => idOf(key) === FOREIGN);
  return stuck < 0 ? keys : keys.slice(0, stuck);
}

function oursIn({ w }: Story, target: Target): Map<string, unknown> {
  const ours = [...w[target].jobs.values()].filter(({ owner }) => owner === MARK);
  return new Map(ours.map(({ id, spec }) => [`${target}/${id}`, spec]));
}

function expectEnd(story: Story, everKept: ReadonlySet<string>): void {
  const { w, wanted, wrongs } = story;
  expect(wrongs).toEqual([]);
  for (const target of TARGETS)
    expect(
      [...w[target].jobs.values()].filter(({ owner }) => owner !== MARK).map(({ id, spec }) => [id, spec]),
    ).toEqual([
      [FOREIGN, { id: FOREIGN }],
      ["other", { id: "other" }],
    ]);
  const applied = applicable(wanted);
  const ours = new Map(TARGETS.flatMap((target) => [...oursIn(story, target)]));
  for (const key of applied)
    expect([key, ours.get(key)]).toEqual([key, { id: idOf(key), image: wanted.jobs[key]?.image }]);
  const states = w.states();
  expect(applied.filter((key) => states[key] !== "Synced/Healthy/Applied")).toEqual([]);
  const extra = [...ours.keys()].filter((key) => !wanted.jobs[key] && !everKept.has(key));
  // Where a file cannot be read, where a job is not proven, and where the policy says so, what is gone from Git is kept.
  const prunes = (target: Target) =>
    wanted.prune !== "never" &&
    applied.length > 0 &&
    (wanted.broken === undefined || targetOf(wanted.broken.key) !== target) &&
    keysOf(wanted).every((key) => applied.includes(key));
  expect(extra.filter((key) => prunes(targetOf(key)))).toEqual([]);
  const recorded = w.inventory().map(({ key }) => key as string);
  expect([...ours.keys()].filter((key) => !recorded.includes(key))).toEqual([]);
}

it("whatever fails in whatever order, nothing foreign is touched, nothing wanted is removed, and in the end live is desired", {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 4, maxLength: 16, size: "max" }), async (events) => {
      const story = begin();
      const everKept = new Set<string>();
      try {
        for (const one of events) {
          if (one.do === "push")
            for (const [key, { keep }] of Object.entries(one.wanted.jobs)) if (keep) everKept.add(key);
          await play(story, one);
        }
        await heal(story);
        if (events.some((one) => one.do === "push")) expectEnd(story, everKept);
      } finally {
        story.faults.kv = [];
        await story.w.stop();
        await Promise.all(story.ended);
      }
    }),
    { numRuns: Number(process.env.SLUICE_RUNS ?? 60) },
  );
});
