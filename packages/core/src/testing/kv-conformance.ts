import { afterAll, beforeAll, describe } from "vitest";
import { lockRules } from "./kv-conformance/locks.ts";
import { readRules } from "./kv-conformance/reads.ts";
import type { KvPair, KvSetup } from "./kv-conformance/subject.ts";
import { transactionRules } from "./kv-conformance/transactions.ts";
import { watchRules } from "./kv-conformance/watches.ts";

export type { KvPair, KvSetup } from "./kv-conformance/subject.ts";

/**
 * Declares the suite of the `Kv` port's contract: every sentence of `ports/kv.ts` is a test.
 *
 * @param setup run once; each test works under a prefix of its own, so that they can share one server.
 */
export function kvConformance(name: string, setup: KvSetup): void {
  describe(`${name} keeps the contract of the Kv port`, () => {
    let pair: KvPair | undefined;
    let prefixes = 0;

    beforeAll(async () => {
      pair = await setup();
    });
    afterAll(() => pair?.stop());

    function subject() {
      if (!pair) throw new Error("the suite's setup failed");
      prefixes += 1;
      return { kv: pair.kv, another: pair.another, prefix: `conformance/${prefixes}/` };
    }
    describe("reads", () => readRules(subject));
    describe("transactions", () => transactionRules(subject));
    describe("watches", () => watchRules(subject));
    describe("locks", () => lockRules(subject));
  });
}
