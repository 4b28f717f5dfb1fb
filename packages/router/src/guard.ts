import type { RoutedServer } from "./route.ts";

/** What is remembered of one service between two looks. */
export interface GuardState {
  /** The servers that traffic went to after the last look. */
  readonly servers: readonly RoutedServer[];
  /** Since when so many are missing that they are kept, in milliseconds since the epoch. */
  readonly missingSince: number | undefined;
}

export interface GuardOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** More than this share of the servers gone at once is not believed at first: 0.5. */
  readonly mostRemoved: number;
  /** How long it is not believed, in milliseconds. */
  readonly holdMs: number;
  /** The same where not one server is left: nobody gains by believing it, for what is dead gets no traffic anyway. */
  readonly holdEmptyMs: number;
}

/**
 * A catalog that loses most of a service at once more often errs than tells the truth: what is missing is kept until it has been
 * missing for a while. The balancer's own checks keep traffic from what is really dead. New servers are taken at once.
 */
export function guardServers(
  before: GuardState | undefined,
  now: readonly RoutedServer[],
  options: GuardOptions,
): GuardState & { readonly held: number } {
  const known = before?.servers ?? [];
  const present = new Set(now.map(({ id }) => id));
  const missing = known.filter(({ id }) => !present.has(id));
  if (missing.length === 0 || missing.length <= known.length * options.mostRemoved)
    return { servers: now, missingSince: undefined, held: 0 };
  const since = before?.missingSince ?? options.now;
  if (options.now - since >= (now.length === 0 ? options.holdEmptyMs : options.holdMs))
    return { servers: now, missingSince: undefined, held: 0 };
  return { servers: [...now, ...missing], missingSince: since, held: missing.length };
}
