import type { JobId, JobKey, TargetName } from "@sluice/core";
import { jobKey } from "@sluice/core";

/** What schedulers said may have moved: passed to whoever waits for the job, else kept for the next pass. */
export interface Hints {
  /** @param id undefined: anything in the target. @returns whether the next pass has news. */
  note(target: TargetName, id: JobId | undefined): boolean;
  /** True while there is news for the next pass. */
  waiting(): boolean;
  /** Hands over the news and forgets it. */
  take(): { readonly jobs: ReadonlySet<JobKey>; readonly targets: ReadonlySet<TargetName> };
  /** Sends hints of a target to a running rollout first; the listener says whether the job is in its hands. */
  listener: ((target: TargetName, id: JobId | undefined) => boolean) | undefined;
}

export function hintBoard(): Hints {
  let jobs = new Set<JobKey>();
  let targets = new Set<TargetName>();
  const board: Hints = {
    listener: undefined,
    note(target, id) {
      if (board.listener?.(target, id)) return false;
      if (id === undefined) targets.add(target);
      else jobs.add(jobKey(target, id));
      return true;
    },
    waiting: () => jobs.size > 0 || targets.size > 0,
    take() {
      const taken = { jobs, targets };
      jobs = new Set();
      targets = new Set();
      return taken;
    },
  };
  return board;
}
