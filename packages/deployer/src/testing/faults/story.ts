import { type ErrorCode, type JobId, type Revision, SluiceError } from "@sluice/core";
import type { MemoryScheduler } from "@sluice/core/testing";
import { MARK, type Running, type World, world } from "../world.ts";
import type { Event, Fault } from "./events.ts";
import { FOREIGN, filesOf, NOTHING, TARGETS, type Target, type Wanted } from "./wishes.ts";

/** An engine among doubles, what the newest revision wants, and what must never happen and yet did. */
export interface Story {
  readonly w: World;
  running: Running;
  readonly ended: Promise<void>[];
  wanted: Wanted;
  revision: Revision | undefined;
  /** Targets where a person agreed to every removal of a revision. */
  agreed: Revision | undefined;
  suspended: readonly string[];
  drifts: number;
  /** What the next calls come to, in turn. */
  readonly faults: Record<"kv" | "scheduler", Fault[]>;
  /** By key, every image that Git ever wanted. */
  readonly images: Map<string, Set<unknown>>;
  readonly wrongs: string[];
}

export function begin(): Story {
  const w = world({ apps: { waitMs: 5_000 }, cron: { waitMs: 5_000 } });
  const story: Story = {
    w,
    running: w.start(),
    ended: [],
    wanted: NOTHING,
    revision: undefined,
    agreed: undefined,
    suspended: [],
    drifts: 0,
    faults: { kv: [], scheduler: [] },
    images: new Map(),
    wrongs: [],
  };
  w.kv.fault = () => strike(story, "kv");
  for (const target of TARGETS) {
    w[target].put(FOREIGN, { id: FOREIGN });
    w[target].put("other", { id: "other" }, "another engine");
    watchOver(story, target, w[target]);
  }
  return story;
}

/** Takes the next fault. One that befalls the engine and not the call leaves the call as it is. */
function strike(story: Story, where: "kv" | "scheduler"): ErrorCode | `after:${ErrorCode}` | undefined {
  const next = story.faults[where].shift();
  if (next === "crash") restart(story);
  else if (next === "deposed") depose(story);
  else return next;
  return undefined;
}

function restart(story: Story): void {
  story.ended.push(story.running.stop());
  story.running = story.w.start();
}

/** Ends the leader's session as a lost connection would. */
function depose({ w }: Story): void {
  const key = w.layout.lock("deployer");
  for (let session = 1; session < 200; session++) w.kv.expire({ key, session: `session-${session}` });
}

/** Every write is judged at the moment it is made, by what Git and people say then. */
function watchOver(story: Story, target: Target, scheduler: MemoryScheduler): void {
  const { apply, remove, list } = scheduler;
  scheduler.list = (query, signal) => struck(story, () => list(query, signal));
  scheduler.apply = (request, signal) =>
    struck(story, () => {
      const before = scheduler.jobs.get(request.id);
      return apply(request, signal).then((answer) => {
        judgeWrite(story, `${target}/${request.id}`, before?.owner, before !== undefined, request.spec.image);
        return answer;
      });
    });
  scheduler.remove = (request, signal) =>
    struck(story, () => {
      judgeRemoval(story, target, request.id);
      return remove(request, signal);
    });
}

async function struck<T>(story: Story, call: () => Promise<T>): Promise<T> {
  const fault = strike(story, "scheduler");
  if (fault && !fault.startsWith("after:")) throw new SluiceError(fault as ErrorCode, "told to fail");
  const answer = await call();
  if (fault) throw new SluiceError(fault.slice(6) as ErrorCode, "the answer was lost");
  return answer;
}

function judgeWrite(
  { wrongs, images }: Story,
  key: string,
  owner: string | undefined,
  existed: boolean,
  image: unknown,
): void {
  if (existed && owner !== MARK) wrongs.push(`wrote the foreign job ${key}`);
  if (!images.get(key)?.has(image))
    wrongs.push(`wrote ${key} with the image ${image}, which Git never wanted`);
}

function judgeRemoval(story: Story, target: Target, id: JobId): void {
  const { w, wanted, wrongs, suspended } = story;
  const key = `${target}/${id}`;
  if (w[target].jobs.get(id)?.owner !== MARK && w[target].jobs.has(id))
    wrongs.push(`removed the foreign job ${key}`);
  if (wanted.jobs[key]) wrongs.push(`removed ${key}, which is wanted`);
  if (wanted.broken?.key === key) wrongs.push(`removed ${key}, whose file cannot be read`);
  if (wanted.prune === "never") wrongs.push(`removed ${key} against the policy`);
  if (isSuspended(suspended, target, key)) wrongs.push(`removed ${key}, which is suspended`);
}

export function isSuspended(suspended: readonly string[], target: Target, key: string): boolean {
  return ["environment", target, key].some((one) => suspended.includes(one));
}

/** Lets one thing happen. */
export async function play(story: Story, event: Event): Promise<void> {
  const { w } = story;
  if (event.do === "push") push(story, event.wanted);
  else if (event.do === "restart") restart(story);
  else if (event.do === "time") await w.clock.advance(7_000);
  else if (event.do === "drift") drift(story);
  else if (event.do === "agree") agree(story, false);
  else if (event.do === "suspend") suspend(story, event.keys);
  else if (event.do === "kv" || event.do === "scheduler") story.faults[event.do] = [...event.faults];
  else for (const target of TARGETS) w[target].afterApply = () => event.observed;
  await w.clock.advance(300);
}

function push(story: Story, wanted: Wanted): void {
  const { files, skipped } = filesOf(wanted);
  story.wanted = wanted;
  for (const [key, { image }] of Object.entries(wanted.jobs)) {
    const known = story.images.get(key) ?? new Set();
    story.images.set(key, known.add(image));
  }
  story.revision = story.w.mirror.push(files, skipped.length > 0 ? skipped : undefined);
}

function drift(story: Story): void {
  story.drifts += 1;
  for (const target of TARGETS) {
    const ours = [...story.w[target].jobs.values()].find(({ owner }) => owner === MARK);
    if (ours) story.w[target].put(ours.id, { ...ours.spec, drift: story.drifts }, MARK);
  }
}

/** A person asks for a sync and agrees to the removals of the newest revision. */
export function agree(story: Story, retry: boolean): void {
  const { w, revision } = story;
  const at = new Date(w.clock.now()).toISOString();
  story.agreed = revision;
  w.kv.set(w.layout.control("sync"), JSON.stringify({ at, retry, prune: [...TARGETS], revision }));
}

export function suspend(story: Story, keys: readonly string[]): void {
  story.suspended = keys;
  const record = {
    environment: keys.includes("environment"),
    targets: keys.filter((key) => key === "apps"),
    jobs: keys.filter((key) => key.includes("/")),
  };
  story.w.kv.set(story.w.layout.control("suspend"), JSON.stringify(record));
}
