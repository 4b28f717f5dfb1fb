/** Every "no" has a reason: one stable word, and what it means. Programs match the word; people read the status's sentence. */
export const REASONS = {
  Applied: "The scheduler holds what Git says and the job is healthy.",
  Progressing: "The change is on its way: the scheduler is starting or replacing instances.",
  Pending: "The job waits for its turn in this deployment.",
  Suspended: "Somebody suspended the job, its target or its environment; Sluice leaves it alone.",
  OutsideWindow: "The policy allows no change at this time; the job is changed when its sync window opens.",
  DependencyNotReady: "A job named in `dependsOn` is not healthy yet.",
  DependencyCycle: "The `dependsOn` of these jobs form a circle, so none can be first.",
  InvalidSpec: "The job file cannot be read, or breaks a rule of its format.",
  Duplicate: "Two files of the revision claim the same job.",
  Conflict: "The job changed in the scheduler while Sluice was writing it; it reads again and retries.",
  Locked: "The scheduler is busy with another deployment of the job; Sluice waits.",
  Refused: "The scheduler refused the job.",
  Denied: "The scheduler refused Sluice's credentials.",
  Unreachable: "The scheduler cannot be reached; what runs there is not known, so nothing is changed.",
  HealthTimeout: "The job was not healthy within its deadline.",
  Unhealthy: "The job was healthy and is not any more.",
  RolledBack:
    "This spec failed and an earlier one runs in its place: put back by the scheduler itself, or by Sluice where the file says `onFailure: rollback`.",
  HeldAfterFailure:
    "This exact spec failed before; it is not sent again until Git changes or somebody retries.",
  Drifted: "Somebody changed the job in the scheduler.",
  Missing: "The job is gone from the scheduler though Git still names it.",
  NotOwned:
    "A job of this id exists that Sluice did not make; it is left alone unless the file says `adopt: true`.",
  PruneRefused: "The job is gone from Git, but removing it is not allowed here.",
  PrunePending:
    "The job is gone from Git and is removed later: once its grace is over, or once somebody agrees where more jobs are gone than may be removed unasked.",
} as const satisfies Record<string, string>;

export type Reason = keyof typeof REASONS;
