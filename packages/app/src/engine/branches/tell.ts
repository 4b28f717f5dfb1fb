import type { Emit } from "@sluice/core";
import { type GuardRules, type Judgement, mostAtOnce } from "./guard.ts";
import type { BranchEntry } from "./registry.ts";

interface Teller {
  readonly emit: Emit;
  readonly rules: Pick<GuardRules, "graceMs">;
}

/** Who came, went, or came back. */
export function tellMoves(
  { emit, rules }: Teller,
  before: readonly BranchEntry[],
  after: readonly BranchEntry[],
): void {
  const known = new Map(before.map((entry) => [entry.name, entry.state]));
  for (const { branch, name, state } of after) {
    const was = known.get(name);
    if (was === undefined) emit({ type: "branches.appeared", branch, name });
    else if (was === "present" && state !== "present")
      emit({ type: "branches.vanished", branch, name, graceMs: rules.graceMs });
    else if (was !== "present" && state === "present") emit({ type: "branches.returned", branch, name });
  }
}

/**
 * What stays, or is not mirrored, although it should not be so.
 * @param before what was told and held until now: it is not told again.
 * @returns what holds now.
 */
export function tellObstacles(
  { emit }: Teller,
  before: ReadonlySet<string>,
  { entries, tooMany, unnamed, leftOut, managed }: Judgement & { readonly managed: readonly BranchEntry[] },
): ReadonlySet<string> {
  const told = new Set<string>();
  const once = (what: string, tell: () => void) => {
    told.add(what);
    if (!before.has(what)) tell();
  };
  const keep = (kept: readonly BranchEntry[], reason: "PruneRefused" | "PrunePending", message: string) => {
    const names = kept.map(({ name }) => name);
    if (names.length > 0)
      once(`${reason} ${message} ${names.join(" ")}`, () =>
        emit({ type: "branches.kept", names, reason, message }),
      );
  };
  const most = mostAtOnce(entries.length);
  keep(
    tooMany,
    "PrunePending",
    `more branches are gone than may be removed at once without being asked (${most} of ${entries.length}); confirm those that are meant`,
  );
  keep(
    unnamed,
    "PrunePending",
    "the branches are there, but no pattern names them any more; confirm their removal, or mend the patterns",
  );
  keep(
    managed,
    "PruneRefused",
    "their branches are gone, but jobs of theirs still run; bring such a branch back with a commit that holds no job, confirm that with `sluice prune confirm`, and delete it again",
  );
  for (const { branch, why } of leftOut)
    once(`${branch} ${why}`, () => emit({ type: "branches.left-out", branch, why }));
  return told;
}
