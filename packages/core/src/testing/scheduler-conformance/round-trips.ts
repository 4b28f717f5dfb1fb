import { expect, it } from "vitest";
import type { JobId } from "../../model/ids.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Trial } from "./subject.ts";

type Specs = Readonly<Record<string, (id: JobId) => JsonObject>>;

/** What was sent is what is there: otherwise a job drifts for ever, or a change in Git goes unseen. */
export function roundTripRules(trial: () => Trial, specs: Specs): void {
  it.each(Object.keys(specs))(
    "shows no difference after %s was created, and none after it was sent again",
    async (name) => {
      const t = trial();
      const id = t.id("a");
      const spec = specs[name]?.(id) ?? {};
      await t.scheduler.apply({ id, spec, mark: t.mark, live: undefined, ignore: [] });
      const live = await t.healthy(id);
      expect([live.owner, t.compare(spec, live.spec, [])]).toEqual([t.mark, []]);
      await t.scheduler.apply({ id, spec, mark: t.mark, live, ignore: [] });
      const again = await t.healthy(id);
      expect([again.owner, t.compare(spec, again.spec, [])]).toEqual([t.mark, []]);
    },
  );

  it.each(pairsOf(Object.keys(specs)))(
    "shows the difference between %s and %s, and none once it was sent",
    async (from, to) => {
      const t = trial();
      const id = t.id("a");
      const [first, second] = [specs[from]?.(id) ?? {}, specs[to]?.(id) ?? {}];
      await t.scheduler.apply({ id, spec: first, mark: t.mark, live: undefined, ignore: [] });
      const live = await t.healthy(id);
      expect(t.compare(second, live.spec, []).length).toBeGreaterThan(0);
      await t.scheduler.apply({ id, spec: second, mark: t.mark, live, ignore: [] });
      expect(t.compare(second, (await t.healthy(id)).spec, [])).toEqual([]);
    },
  );
}

/** Each with the next one, round. */
function pairsOf(names: readonly string[]): [string, string][] {
  if (names.length < 2) return [];
  return names.map((name, at) => [name, names[(at + 1) % names.length] ?? name]);
}
