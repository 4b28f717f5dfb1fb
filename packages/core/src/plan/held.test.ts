import { describe, expect, it } from "vitest";
import type { Fingerprint, JobKey } from "../model/ids.ts";
import type { DesiredJob, InventoryEntry, LiveJob, Observation } from "../model/job.ts";
import { resolveDesired } from "./desired.ts";
import { plan } from "./plan.ts";
import { answer, filesOf, given, recorded, running, wanted } from "./plan-fixtures.ts";

const WEB = "apps/web" as JobKey;
const BAD = { n: 2 };
const GOOD = { n: 1 };
const DEGRADED: Observation = { health: "Degraded", message: "crashes" };

interface Given {
  readonly live?: LiveJob;
  readonly made?: InventoryEntry;
  readonly fallback?: DesiredJob;
}

/** What is planned for a job whose spec BAD is held, in a line. */
function planned({ live, made, fallback }: Given): string {
  const job = wanted(WEB, BAD, { onFailure: "rollback" });
  const { changes, unchanged, refused } = plan(
    given({
      desired: resolveDesired(filesOf(job)),
      live: { apps: answer(live ? [live] : []) },
      made: made ? [made] : [],
      held: new Map([[WEB, job.fingerprint as Fingerprint]]),
      fallback: new Map(fallback ? [[WEB, fallback]] : []),
    }),
  );
  const [change] = changes;
  if (change)
    return change.kind === "prune" ? "prune" : `${change.kind} ${change.desired.spec.n} (${change.cause})`;
  return unchanged.length > 0 ? "unchanged" : `${refused[0]?.reason}`;
}

const back = wanted(WEB, GOOD);

describe("a spec that failed", () => {
  it.each<[string, Given, string]>([
    ["is not sent again", { live: running("web", GOOD) }, "HeldAfterFailure"],
    [
      "is left where it is, failing, without one to go back to",
      { live: running("web", BAD, { observed: DEGRADED }) },
      "unchanged",
    ],
    [
      "gives way to the last healthy one where it fails",
      { live: running("web", BAD, { observed: DEGRADED }), made: recorded(WEB, BAD), fallback: back },
      "update 1 (rollback)",
    ],
    [
      "stays where it turned well after all",
      { live: running("web", BAD), made: recorded(WEB, BAD), fallback: back },
      "unchanged",
    ],
    [
      "is followed by nothing once the last healthy one is back",
      { live: running("web", GOOD), made: recorded(WEB, GOOD), fallback: back },
      "RolledBack",
    ],
    [
      "is followed by nothing even where the last healthy one does not do either",
      { live: running("web", GOOD, { observed: DEGRADED }), made: recorded(WEB, GOOD), fallback: back },
      "RolledBack",
    ],
    [
      "is not what drift is put right to",
      { live: running("web", { n: 3 }), made: recorded(WEB, GOOD, { version: "v0" }), fallback: back },
      "update 1 (rollback)",
    ],
    [
      "is not what a job that was removed is made of",
      { made: recorded(WEB, GOOD), fallback: back },
      "create 1 (rollback)",
    ],
    [
      "brings no job of others under its rule",
      { live: running("web", GOOD, { owner: "other" }), fallback: back },
      "NotOwned",
    ],
  ])("%s", (_, facts, expected) => {
    expect(planned(facts)).toBe(expected);
  });
});

describe("what is postponed", () => {
  const later = { reason: "OutsideWindow", message: "not now" } as const;
  const asked: string[] = [];

  function shown(more: Partial<Parameters<typeof given>[0]>) {
    asked.length = 0;
    const { changes, refused } = plan(
      given({
        desired: resolveDesired(filesOf(wanted("apps/a"), wanted("apps/b"), wanted("apps/c"))),
        live: {
          apps: answer([
            running("a", { n: 9 }),
            running("b", { n: 9 }, { owner: "other" }),
            running("c"),
            running("gone"),
          ]),
        },
        made: [recorded("apps/a", { n: 1 }, { version: "v0" }), recorded("apps/c"), recorded("apps/gone")],
        postponed(key, what) {
          asked.push(`${key} ${what}`);
          return later;
        },
        ...more,
      }),
    );
    return [changes.map(({ key }) => key), refused.map(({ key, reason }) => `${key} ${reason}`).sort()];
  }

  it("is asked of what would be sent or removed alone, and keeps its reason", () => {
    expect(shown({})).toEqual([[], ["apps/a OutsideWindow", "apps/b NotOwned", "apps/gone OutsideWindow"]]);
    expect(asked).toEqual(["apps/a drift", "apps/gone prune"]);
  });

  it("comes after what refuses a removal for good", () => {
    const prune = { maxJobs: 5, maxShare: 0.2, confirmed: new Set<never>() };
    expect(shown({ prune: { ...prune, kept: () => "its file is a link" } })[1]).toContain(
      "apps/gone PruneRefused",
    );
    expect(shown({ prune: { ...prune, young: () => "too early" } })[1]).toContain("apps/gone PrunePending");
    expect(asked).toEqual(["apps/a drift"]);
  });
});
