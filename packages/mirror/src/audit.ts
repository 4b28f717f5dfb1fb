import type { Pass } from "./pass.ts";

/** Sets the time of the next whole comparison; a tenth either way, so that many mirrors do not list together. */
export function scheduleAudit({ memory, settings }: Pass): void {
  const { clock, auditIntervalMs, random } = settings;
  memory.auditAt = clock.now() + auditIntervalMs * (0.9 + 0.2 * random());
}
