import { expect, it } from "vitest";
import type { Scheduler } from "../../ports/scheduler.ts";
import { GARBLINGS, type Trial } from "./subject.ts";

const EVERY_CALL = [
  ["unreachable", "SCHEDULER_UNREACHABLE"],
  ["denied", "SCHEDULER_DENIED"],
] as const;

/** What the port says of failures. */
export function failureRules(trial: () => Trial): void {
  it.each(EVERY_CALL)("says %s as %s, whatever was asked", async (how, code) => {
    const t = trial();
    const scheduler = await t.failing(how);
    for (const call of callsOf(t, scheduler)) await expect(call()).rejects.toMatchObject({ code });
  });

  it("says a refusal for good as SCHEDULER_INVALID", async () => {
    const t = trial();
    const [, , create] = callsOf(t, await t.failing("invalid"));
    await expect(create?.()).rejects.toMatchObject({ code: "SCHEDULER_INVALID" });
  });
}

/** An answer that is none must read neither as "there is nothing" nor as "it is done". */
export function garblingRules(trial: () => Trial): void {
  it.each(GARBLINGS)("takes a %s answer for none: no list, no write, no removal", async (how) => {
    const t = trial();
    const live = await t.create("a");
    const scheduler = await t.garbled?.(how);
    if (!scheduler) throw new Error("the subject cannot spoil answers");
    const { id } = live;
    const spec = t.spec(id, "second");
    for (const call of [
      () => scheduler.list({ mark: t.mark }),
      () => scheduler.list({ ids: [id] }),
      () => scheduler.apply({ id, spec, mark: t.mark, live, ignore: [] }),
      () => scheduler.remove({ id, mark: t.mark }),
    ])
      await expect(call()).rejects.toMatchObject({ code: "SCHEDULER_UNREACHABLE" });
    const after = await t.find(id);
    expect([after?.version, t.compare(live.spec, after?.spec ?? {}, [])]).toEqual([live.version, []]);
  });
}

function callsOf(t: Trial, scheduler: Scheduler): (() => Promise<unknown>)[] {
  const id = t.id("a");
  const spec = t.spec(id, "first");
  return [
    () => scheduler.list({ mark: t.mark }),
    () => scheduler.list({ ids: [id] }),
    () => scheduler.apply({ id, spec, mark: t.mark, live: undefined, ignore: [] }),
    () => scheduler.remove({ id, mark: t.mark }),
  ];
}
