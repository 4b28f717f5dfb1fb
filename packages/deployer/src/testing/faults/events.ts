import type { ErrorCode, Observation } from "@sluice/core";
import fc from "fast-check";
import { KEYS, type Wanted, wanted } from "./wishes.ts";

/** What a call comes to; undefined: what it should. "after:CODE": it is made, and then its answer is lost. */
export type Fault = ErrorCode | `after:${ErrorCode}` | "crash" | "deposed" | undefined;

/** What happens in a story. */
export type Event =
  | { readonly do: "push"; readonly wanted: Wanted }
  | { readonly do: "restart" }
  | { readonly do: "time" }
  | { readonly do: "drift" }
  /** A person agrees to every removal of the newest revision. */
  | { readonly do: "agree" }
  | { readonly do: "suspend"; readonly keys: readonly string[] }
  /** What the next calls come to, in turn. */
  | { readonly do: "kv"; readonly faults: readonly Fault[] }
  | { readonly do: "scheduler"; readonly faults: readonly Fault[] }
  | { readonly do: "health"; readonly observed: Observation };

const anywhere = ["crash", "deposed"] as const;
const kvFault = fc.constantFrom<Fault[]>(
  undefined,
  undefined,
  "KV_UNREACHABLE",
  "after:KV_UNREACHABLE",
  "LOCK_LOST",
  ...anywhere,
);
const schedulerFault = fc.constantFrom<Fault[]>(
  undefined,
  undefined,
  "SCHEDULER_UNREACHABLE",
  "SCHEDULER_CONFLICT",
  "SCHEDULER_LOCKED",
  "SCHEDULER_DENIED",
  "SCHEDULER_INVALID",
  "after:SCHEDULER_UNREACHABLE",
  ...anywhere,
);
const observed = fc.constantFrom<Observation[]>(
  { health: "Healthy", message: "running" },
  { health: "Progressing", message: "starting" },
  { health: "Degraded", message: "crashes" },
  { health: "Degraded", message: "given up", failed: true },
);

export const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("push" as const), wanted }) },
  {
    weight: 5,
    arbitrary: fc.constantFrom<Event[]>({ do: "restart" }, { do: "time" }, { do: "drift" }, { do: "agree" }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("suspend" as const),
      keys: fc.subarray([...KEYS, "apps", "environment"]),
    }),
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
  { weight: 2, arbitrary: fc.record({ do: fc.constant("health" as const), observed }) },
);
