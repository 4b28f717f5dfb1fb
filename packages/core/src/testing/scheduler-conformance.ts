import { afterAll, beforeAll, describe } from "vitest";
import { abilityRules } from "./scheduler-conformance/abilities.ts";
import { failureRules, garblingRules } from "./scheduler-conformance/failures.ts";
import { listRules } from "./scheduler-conformance/lists.ts";
import { roundTripRules } from "./scheduler-conformance/round-trips.ts";
import { type SchedulerAbilities, type SchedulerSubject, trialOf } from "./scheduler-conformance/subject.ts";
import { applyRules, removeRules } from "./scheduler-conformance/writes.ts";

export type { Garbling, SchedulerAbilities, SchedulerSubject } from "./scheduler-conformance/subject.ts";

/**
 * Declares the suite of the `Scheduler` port's contract: every sentence of `ports/scheduler.ts` is a test.
 *
 * @param setup run once; each test has ids and marks of its own, so that they can share one server.
 */
export function schedulerConformance(
  name: string,
  setup: () => Promise<SchedulerSubject>,
  abilities: SchedulerAbilities,
): void {
  describe(`${name} keeps the contract of the Scheduler port`, () => {
    let subject: SchedulerSubject | undefined;
    let trials = 0;

    beforeAll(async () => {
      subject = await setup();
    });
    afterAll(() => subject?.stop());

    function trial() {
      if (!subject) throw new Error("the suite's setup failed");
      trials += 1;
      return trialOf(subject, trials);
    }
    describe("list", () => listRules(trial));
    describe("apply", () => applyRules(trial));
    describe("remove", () => removeRules(trial));
    describe("failures", () => failureRules(trial));
    describe("abilities", () => abilityRules(trial, abilities));
    if (abilities.garbles) describe("spoilt answers", () => garblingRules(trial));
    if (abilities.specs) describe("round trips", () => roundTripRules(trial, abilities.specs ?? {}));
  });
}
