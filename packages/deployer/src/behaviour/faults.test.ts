import { type ErrorCode, type JobId, type Observation, SluiceError } from "@sluice/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { job, MARK, type Running, type World, world } from "../testing/world.ts";

const IDS = ["a", "b", "c", "d", "e"] as const;
const TRANSIENT: readonly ErrorCode[] = [
  "SCHEDULER_UNREACHABLE",
  "SCHEDULER_CONFLICT",
  "SCHEDULER_LOCKED",
  "SCHEDULER_DENIED",
];

/** Which jobs a revision holds, at which image; a job depends on the one before it where `chained`. */
interface Wanted {
  readonly images: Partial<Record<(typeof IDS)[number], number>>;
  readonly chained: boolean;
  /** A file nobody can read, in the place of this job's. */
  readonly broken: (typeof IDS)[number] | undefined;
}

type Fault = ErrorCode | `after:${ErrorCode}` | undefined;

type Event =
  | { readonly do: "push"; readonly wanted: Wanted }
  | { readonly do: "restart" }
  | { readonly do: "expire" }
  | { readonly do: "time" }
  | { readonly do: "drift" }
  /** What the next calls come to, in turn. */
  | { readonly do: "kv"; readonly faults: readonly Fault[] }
  | { readonly do: "scheduler"; readonly faults: readonly Fault[] }
  | { readonly do: "health"; readonly observed: Observation };

const wanted: fc.Arbitrary<Wanted> = fc.record({
  images: fc.dictionary(fc.constantFrom(...IDS), fc.integer({ min: 1, max: 3 }), {
    minKeys: 1,
    maxKeys: 5,
    size: "max",
  }),
  chained: fc.boolean(),
  broken: fc.option(fc.constantFrom(...IDS), { nil: undefined, freq: 5 }),
});
const kvFault = fc.constantFrom<Fault[]>(undefined, "KV_UNREACHABLE", "after:KV_UNREACHABLE", "LOCK_LOST");
const schedulerFault = fc.option(
  fc.constantFrom<(ErrorCode | `after:${ErrorCode}`)[]>(
    ...TRANSIENT,
    "SCHEDULER_INVALID",
    "after:SCHEDULER_UNREACHABLE",
  ),
  { nil: undefined },
);
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 7, arbitrary: fc.record({ do: fc.constant("push" as const), wanted }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Event[]>({ do: "restart" }, { do: "expire" }, { do: "time" }, { do: "drift" }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("kv" as const), faults: fc.array(kvFault, { maxLength: 12 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("scheduler" as const),
      faults: fc.array(schedulerFault, { maxLength: 12 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("health" as const),
      observed: fc.constantFrom<Observation[]>(
        { health: "Healthy", message: "running" },
        { health: "Progressing", message: "starting" },
        { health: "Degraded", message: "crashes" },
        { health: "Degraded", message: "given up", failed: true },
      ),
    }),
  },
);

function filesOf({ images, chained, broken }: Wanted): Record<string, string> {
  const ids = IDS.filter((id) => images[id] !== undefined);
  const files = Object.fromEntries(
    ids.map((id, at) => {
      const before = ids[at - 1];
      const sluice = chained && before ? { sluice: { dependsOn: [before] } } : {};
      return [`apps/${id}.yaml`, job(id, { image: images[id], ...sluice })];
    }),
  );
  return broken ? { ...files, [`apps/${broken}.yaml`]: "id: [" } : files;
}

interface Story {
  readonly w: World;
  running: Running;
  wanted: Wanted;
  drifts: number;
  /** What the next calls to the scheduler come to, in turn. */
  faults: Fault[];
  /** What must never happen and yet did. */
  readonly wrongs: string[];
}

function begin(): Story {
  const w = world({ apps: { waitMs: 5_000 } });
  w.apps.put("foreign", { id: "foreign" });
  w.apps.put("other", { id: "other" }, "another engine");
  const nothing: Wanted = { images: {}, chained: false, broken: undefined };
  const story: Story = { w, running: w.start(), wanted: nothing, drifts: 0, faults: [], wrongs: [] };
  const { apply, remove } = w.apps;
  w.apps.fault = () =>
    story.faults[0]?.startsWith("after:") ? undefined : (story.faults.shift() as ErrorCode | undefined);
  w.apps.apply = (request, signal) => thenMaybeLost(story, apply(request, signal));
  w.apps.remove = (request, signal) => {
    judgeRemoval(story, request.id);
    return thenMaybeLost(story, remove(request, signal));
  };
  return story;
}

/** The call is made, and then its answer may get lost. */
async function thenMaybeLost<T>({ faults }: Story, call: Promise<T>): Promise<T> {
  const answer = await call;
  if (!faults[0]?.startsWith("after:")) return answer;
  throw new SluiceError(faults.shift()?.slice(6) as ErrorCode, "the answer was lost");
}

/** Every removal is judged at the moment it is asked for, by the revision that is in the KV then. */
function judgeRemoval({ w, wanted, wrongs }: Story, id: string): void {
  if (w.apps.jobs.get(id as JobId)?.owner !== MARK) wrongs.push(`asked to remove the foreign job ${id}`);
  if (wanted.images[id as keyof Wanted["images"]] !== undefined)
    wrongs.push(`removed ${id}, which is wanted`);
  if (wanted.broken !== undefined) wrongs.push(`removed ${id} while a file cannot be read`);
}

async function play(story: Story, event: Event): Promise<void> {
  const { w } = story;
  if (event.do === "push") {
    story.wanted = event.wanted;
    w.mirror.push(filesOf(event.wanted));
  } else if (event.do === "restart") {
    await story.running.stop();
    story.running = w.start();
  } else if (event.do === "expire") expire(w);
  else if (event.do === "time") await w.clock.advance(7_000);
  else if (event.do === "drift") {
    story.drifts += 1;
    const ours = [...w.apps.jobs.values()].find(({ owner }) => owner === MARK);
    if (ours) w.apps.put(ours.id, { ...ours.spec, drift: story.drifts }, MARK);
  } else if (event.do === "kv") w.kv.fault = inTurn(event.faults, (fault) => fault);
  else if (event.do === "scheduler") story.faults.splice(0, Number.POSITIVE_INFINITY, ...event.faults);
  else w.apps.afterApply = () => event.observed;
  await w.clock.advance(300);
}

/** Ends the leader's session as a lost connection would. */
function expire({ kv, layout }: World) {
  for (let session = 1; session < 200; session++)
    kv.expire({ key: layout.lock("deployer"), session: `session-${session}` });
}

function inTurn<F, R>(faults: readonly F[], then: (fault: F) => R): () => R | undefined {
  const left = [...faults];
  return () => {
    const fault = left.shift();
    return fault === undefined ? undefined : then(fault);
  };
}

/** The faults end, and somebody asks for what failed to be tried again. */
async function heal({ w, faults }: Story): Promise<void> {
  w.kv.fault = undefined;
  faults.length = 0;
  w.apps.afterApply = () => ({ health: "Healthy", message: "running" });
  for (const id of w.apps.jobs.keys()) w.apps.observe(id, { health: "Healthy", message: "running" });
  await w.clock.advance(60_000);
  for (let round = 0; round < 3; round++) {
    w.kv.set(
      w.layout.control("sync"),
      JSON.stringify({ at: new Date(w.clock.now()).toISOString(), retry: true }),
    );
    await w.clock.advance(70_000);
  }
}

function expectEnd({ w, wanted, wrongs }: Story): void {
  expect(wrongs).toEqual([]);
  const live = [...w.apps.jobs.values()];
  expect(live.filter(({ owner }) => owner !== MARK).map(({ id, spec }) => [id, spec])).toEqual([
    ["foreign", { id: "foreign" }],
    ["other", { id: "other" }],
  ]);
  const readable = IDS.filter((id) => wanted.images[id] !== undefined && wanted.broken !== id);
  const ours = new Map(live.filter(({ owner }) => owner === MARK).map(({ id, spec }) => [id, spec]));
  const applied = wanted.chained ? readable.filter((id) => !behind(id, wanted)) : readable;
  for (const id of applied)
    expect([id, ours.get(id as string as JobId)]).toEqual([id, { id, image: wanted.images[id] }]);
  // With a file that cannot be read, or without any job, what is gone from Git is kept.
  if (wanted.broken || readable.length === 0) return;
  expect([...ours.keys()].sort()).toEqual([...readable].sort());
  expect(Object.fromEntries(Object.entries(w.states()))).toEqual(
    Object.fromEntries(readable.map((id) => [`apps/${id}`, "Synced/Healthy/Applied"])),
  );
  expect(w.inventory().map(({ key }) => key)).toEqual(readable.map((id) => `apps/${id}`));
  expect(w.deployment()?.state).toBe("healthy");
}

/** True for a job that, through others, depends on the one whose file cannot be read. */
function behind(id: string, { images, broken }: Wanted): boolean {
  const ids: readonly string[] = IDS.filter((one) => images[one] !== undefined);
  const at = broken === undefined ? -1 : ids.indexOf(broken);
  return at >= 0 && ids.indexOf(id) > at;
}

it("whatever fails in whatever order, nothing foreign is touched, nothing wanted is removed, and in the end live is desired", {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 4, maxLength: 16, size: "max" }), async (events) => {
      const story = begin();
      try {
        for (const one of events) await play(story, one);
        await heal(story);
        if (events.some((one) => one.do === "push")) expectEnd(story);
      } finally {
        story.w.kv.fault = undefined;
        await story.w.stop();
      }
    }),
    { numRuns: Number(process.env.SLUICE_RUNS ?? 60) },
  );
});
