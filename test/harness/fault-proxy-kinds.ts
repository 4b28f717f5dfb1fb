import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import type { Fault, Intercept } from "./fault-proxy.ts";

/** How the way to Consul can fail, one request at a time; `timeoutMs` is the client's. */
export const FAULTS = {
  "500: no leader": () => ({ forward: false, answer: { status: 500, text: "No cluster leader" } }),
  "429: too many connections": () => ({
    forward: false,
    answer: {
      status: 429,
      text: "Your IP is issuing too many concurrent connections, please rate limit your calls\n",
    },
  }),
  "reset before it arrived": () => ({ forward: false, answer: "reset" }),
  "reset after it was applied": () => ({ answer: "reset" }),
  "500 after it was applied": () => ({ answer: { status: 500, text: "rpc error making call: EOF" } }),
  "answer later than the client waits": (timeoutMs) => ({ answered: () => sleep(timeoutMs + 50) }),
  "arrival later than the client waits": (timeoutMs) => ({ hold: () => sleep(timeoutMs + 50) }),
  "arrival much later": (timeoutMs) => ({ hold: () => sleep(timeoutMs * 2) }),
  "half an answer": () => ({ answer: "half" }),
  "another server's empty answer": () => ({ forward: false, answer: { status: 200, text: "" } }),
  "another server's page": () => ({ forward: false, answer: { status: 200, text: "<html>hello</html>" } }),
} satisfies Record<string, (timeoutMs: number) => Fault>;

export type FaultKind = keyof typeof FAULTS;

/** A fault at the nth request; a change of leader is many in a row. */
export interface Planned {
  readonly nth: number;
  readonly kind: FaultKind;
  readonly times: number;
}

const kinds = Object.keys(FAULTS) as FaultKind[];

/** Faults at some of the first requests. */
export function someFaults(most: {
  readonly faults: number;
  readonly nth: number;
}): fc.Arbitrary<readonly Planned[]> {
  const nth = fc.integer({ min: 1, max: most.nth });
  const single = fc.record({ nth, kind: fc.constantFrom(...kinds), times: fc.constant(1) });
  const election = fc.record({
    nth,
    kind: fc.constant("500: no leader" as const),
    times: fc.integer({ min: 4, max: 10 }),
  });
  const one = fc.oneof({ weight: 8, arbitrary: single }, { weight: 1, arbitrary: election });
  return fc.array(one, { minLength: 1, maxLength: most.faults, size: "max" });
}

/** Brings the planned faults over the requests as they come. */
export function planned(faults: readonly Planned[], timeoutMs: number): Intercept {
  return ({ nth }) => {
    const fault = faults.find((one) => nth >= one.nth && nth < one.nth + one.times);
    return fault && FAULTS[fault.kind](timeoutMs);
  };
}
