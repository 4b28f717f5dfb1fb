import type { RoutedServer } from "./route.ts";

/** What is remembered of one service between two looks. Times are milliseconds since the epoch. */
export interface GuardState {
  /** The servers that traffic went to after the last look, those that are kept included. */
  readonly servers: readonly RoutedServer[];
  /** Since when those that are kept are missing, by id. */
  readonly missingSince: ReadonlyMap<string, number>;
  /** The most there were of late, so that servers that vanish one after another count together. */
  readonly most: { readonly count: number; readonly at: number };
}

export interface GuardOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Where more than this share of the servers is gone, that is not believed at first: 0.5. */
  readonly mostRemoved: number;
  /** How long it is not believed, in milliseconds. */
  readonly holdMs: number;
  /** The same where not one server is left: nobody gains by believing it, for what is dead gets no traffic anyway. */
  readonly holdEmptyMs: number;
}

/**
 * A catalog that loses most of a service more often errs than tells the truth: what is missing is kept until it has been missing
 * for a while, unless enough others are there. The balancer's own checks keep traffic from what is really dead. New servers are
 * taken at once.
 *
 * @param released ids that are missing because a person said so: these are not kept.
 */
export function guardServers(
  before: GuardState | undefined,
  present: readonly RoutedServer[],
  released: ReadonlySet<string>,
  options: GuardOptions,
): GuardState & { readonly held: number } {
  const { now, mostRemoved, holdMs, holdEmptyMs } = options;
  const ids = new Set(present.map(({ id }) => id));
  const known = (before?.servers ?? []).filter(({ id }) => !released.has(id));
  const missingSince = new Map(
    known
      .filter(({ id }) => !ids.has(id))
      .map(({ id }) => [id, before?.missingSince.get(id) ?? now] as const),
  );
  const counts = before && (now - before.most.at < holdMs || before.missingSince.size > 0);
  const recent = counts ? before.most : { count: 0, at: now };
  const most = present.length >= recent.count ? { count: present.length, at: now } : recent;
  const base = Math.max(recent.count, known.length);
  const believed = base - present.length <= base * mostRemoved;
  const hold = present.length === 0 ? holdEmptyMs : holdMs;
  for (const [id, since] of missingSince) if (believed || now - since >= hold) missingSince.delete(id);
  const kept = known.filter(({ id }) => missingSince.has(id));
  return { servers: [...present, ...kept], missingSince, most, held: kept.length };
}
