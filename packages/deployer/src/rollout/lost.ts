import type { Health, Reason, SyncStatus } from "@sluice/core";
import type { Waited } from "./health-wait.ts";

/** What is said of a job that was waited for in vain. */
export interface Lost {
  readonly sync: SyncStatus;
  readonly health: Health;
  readonly reason: Reason;
  readonly message: string;
  /** True: this spec is not to be sent again by itself. */
  readonly failed: boolean;
}

export function lost(waited: Extract<Waited, { kind: "failed" | "timeout" }>): Lost {
  const { live } = waited;
  if (waited.kind === "failed") return givenUp(waited.live.observed);
  if (waited.error !== undefined) {
    const message = "the deadline passed while the scheduler could not be asked";
    return { sync: "Unknown", health: "Unknown", reason: "Unreachable", message, failed: false };
  }
  if (!live) {
    const message = "the job went away while it was waited for";
    return { sync: "OutOfSync", health: "Missing", reason: "Missing", message, failed: false };
  }
  const message = `not healthy within its deadline: ${live.observed.message}`;
  return { sync: "Synced", health: "Degraded", reason: "HealthTimeout", message, failed: true };
}

/** After a rollback the job that runs is the earlier one, which may well be healthy; after giving up it is neither. */
function givenUp({
  health,
  rolledBack,
  message,
}: Extract<Waited, { kind: "failed" }>["live"]["observed"]): Lost {
  if (rolledBack) return { sync: "OutOfSync", health, reason: "RolledBack", message, failed: true };
  const degraded = health === "Healthy" ? "Degraded" : health;
  return {
    sync: "Synced",
    health: degraded,
    reason: "HealthTimeout",
    message: `the scheduler gave up: ${message}`,
    failed: true,
  };
}
