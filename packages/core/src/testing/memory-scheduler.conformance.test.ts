import type { ErrorCode } from "../errors.ts";
import type { JobId } from "../model/ids.ts";
import type { FieldChange } from "../model/job.ts";
import { type JsonObject, sameJson } from "../model/json.ts";
import { memoryScheduler } from "./memory-scheduler.ts";
import { schedulerConformance } from "./scheduler-conformance.ts";

const CODES = {
  unreachable: "SCHEDULER_UNREACHABLE",
  denied: "SCHEDULER_DENIED",
  invalid: "SCHEDULER_INVALID",
} as const satisfies Record<string, ErrorCode>;

const FIRST: JsonObject = { command: "sleep 1", size: 1, note: "only in the first" };

schedulerConformance(
  "memoryScheduler",
  async () => {
    const scheduler = memoryScheduler();
    return {
      scheduler,
      compare,
      changedPath: "size",
      spec: (_id, which) => (which === "first" ? FIRST : { command: "sleep 2", size: 1 }),
      plant: async (id) => scheduler.put(id, FIRST),
      change: async (id) => {
        const job = scheduler.jobs.get(id);
        scheduler.put(id, { ...job?.spec, size: 7 }, job?.owner);
      },
      drop: async (id: JobId) => scheduler.drop(id),
      failing: async (how) => {
        const failing = memoryScheduler();
        failing.fault = () => CODES[how];
        return failing;
      },
      stop: async () => undefined,
    };
  },
  {
    watch: true,
    cancel: false,
    specs: {
      "a small job": () => ({ command: "sleep 1" }),
      "a job with lists and mappings": () => ({ command: "sleep 1", env: { A: "b" }, ports: [1, 2] }),
    },
  },
);

function compare(desired: JsonObject, live: JsonObject, ignore: readonly string[]): readonly FieldChange[] {
  const keys = [...new Set([...Object.keys(desired), ...Object.keys(live)])];
  const differ = keys.filter((key) => !sameJson(desired[key] ?? null, live[key] ?? null));
  return differ.filter((key) => !ignore.includes(key)).map((path) => ({ path }));
}
