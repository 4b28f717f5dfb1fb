/** Does the scheduler hold what the revision says? */
export type SyncStatus = "Synced" | "OutOfSync" | "Unknown";

/** From best to worst: of several, the worst speaks. */
export const HEALTHS = ["Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown"] as const;

/** How the job itself does. */
export type Health = (typeof HEALTHS)[number];

/** The worst of them; `Healthy` of none. */
export function worstHealth(healths: Iterable<Health>): Health {
  let worst = 0;
  for (const health of healths) worst = Math.max(worst, HEALTHS.indexOf(health));
  return HEALTHS[worst] as Health;
}
