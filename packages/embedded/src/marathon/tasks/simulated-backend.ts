import type { Clock } from "@sluice/core";
import type { Instance, TaskBackend, TaskEnd } from "./instance.ts";
import { hostPortsWanted } from "./resources.ts";

/** Tasks that are but pretended: they run after `startDelayMs` until they are stopped, with invented ports. */
export function simulatedBackend(clock: Clock, startDelayMs: number): TaskBackend {
  let next = 0;
  return {
    refusal: () => undefined,
    async start(instance: Instance) {
      const { signal } = instance.ending;
      if (startDelayMs > 0) await clock.sleep(startDelayMs, signal);
      instance.ports = hostPortsWanted(instance.app).flatMap((port) => {
        if (port === undefined) return [];
        return port > 0 ? port : 31000 + (next++ % 1001);
      });
      let end: (result: TaskEnd) => void = () => undefined;
      const exited = new Promise<TaskEnd>((resolve) => {
        end = resolve;
      });
      return { exited, stop: async () => end({ state: "TASK_FINISHED", message: "" }) };
    },
  };
}
