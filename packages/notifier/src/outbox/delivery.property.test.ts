import type { TargetName } from "@sluice/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Delivery } from "../channels/channel.ts";
import { testChannel, world } from "../testing/world.ts";

type Act =
  | { readonly do: "happen" | "restart" }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "answer"; readonly kind: "sent" | "later" | "throw" }
  | { readonly do: "fault"; readonly every: number; readonly after: boolean };

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Act>({ do: "happen" }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 90_000 }).map((ms): Act => ({ do: "pass", ms })) },
  { weight: 1, arbitrary: fc.constant<Act>({ do: "restart" }) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom("sent" as const, "later" as const, "throw" as const)
      .map((kind): Act => ({ do: "answer", kind })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ every: fc.integer({ min: 0, max: 7 }), after: fc.boolean() })
      .map((one): Act => ({ do: "fault", ...one })),
  },
);

it("whatever fails and whenever it is restarted, each message arrives, and again only where a send could not be written down", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 25 }), async (acts) => {
      const all = world();
      const [chat, other] = [testChannel(), testChannel()];
      const lastly = all.start({ chat, other });
      let stop = lastly;
      let restarts = 0;
      let happened = 0;
      await all.passes(0);
      for (const one of acts) {
        if (one.do === "happen")
          all.happens({
            type: "target.failed",
            target: `t${happened++}` as TargetName,
            code: "X",
            message: "",
          });
        else if (one.do === "pass") await all.passes(one.ms);
        else if (one.do === "answer") chat.answer = () => answered(one.kind);
        else if (one.do === "fault") all.kv.fault = faulty(one.every, one.after);
        else {
          restarts += 1;
          await stop();
          stop = all.start({ chat, other });
        }
      }
      all.kv.fault = undefined;
      chat.answer = () => ({ kind: "sent" });
      await all.passes(30 * 60_000);
      await stop();
      const wanted = Array.from({ length: happened }, (_, at) => `t${at}`).sort();
      for (const channel of [chat, other]) {
        const targets = channel.taken.map(({ target = "" }) => target);
        expect([...new Set<string>(targets)].sort()).toEqual(wanted);
        expect(targets.length).toBeLessThanOrEqual(happened + restarts * happened);
        if (restarts === 0) expect(targets.length).toBe(happened);
      }
      expect(all.kv.dump("sluice/notices/outbox/")).toEqual({});
    }),
    { numRuns: 60 },
  );
}, 60_000);

function answered(kind: "sent" | "later" | "throw"): Delivery {
  if (kind === "throw") throw new Error("a channel with a fault of its own");
  return kind === "sent" ? { kind } : { kind, why: "no" };
}

/** Every so manyth call fails, before or after its work. */
function faulty(every: number, after: boolean) {
  if (every === 0) return undefined;
  return (call: string, number: number) => {
    if (number % every !== 0 || call === "lock") return undefined;
    return after && call === "commit" ? ("after:KV_UNREACHABLE" as const) : ("KV_UNREACHABLE" as const);
  };
}
