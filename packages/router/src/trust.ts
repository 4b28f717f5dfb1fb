import { placesOf } from "./clashes.ts";
import type { Backend } from "./render.ts";

type BackendRoute = Backend["route"];

/**
 * Which routes the balancer is known to work with, and which it refused. What is new to it can be at fault where a file does not
 * come to work; what it worked with before cannot, and goes on.
 */
export interface Trust {
  /** What is to be offered: a route that is new and refused is left out, or stays as it worked before. */
  offer(backends: readonly Backend[], now: number): readonly Backend[];
  /** The balancer works with exactly these. */
  worked(backends: readonly Backend[]): void;
  /** It did not come to work with these. @returns the one at fault, where that is certain; else fewer are offered next. */
  failed(backends: readonly Backend[], now: number): Backend | undefined;
  /** It refuses this one. @returns whether that is news. */
  refuse(backend: Backend, now: number): boolean;
}

/** A refusal may come from something beside the file, as a port that another program has: it is tried again. */
const AGAIN_MS = { first: 5 * 60_000, most: 60 * 60_000 };
const MOST_REFUSALS = 1_000;

export function trust(): Trust {
  let proven = new Map<string, BackendRoute>();
  const refused = new Map<string, { readonly until: number; readonly times: number }>();
  let atOnce = Number.POSITIVE_INFINITY;

  const isProven = ({ route }: Backend) => {
    const known = proven.get(route.name);
    return known !== undefined && textOf(known) === textOf(route);
  };
  function refuse({ route }: Backend, now: number): boolean {
    const text = textOf(route);
    if (refused.size >= MOST_REFUSALS) refused.clear();
    const times = (refused.get(text)?.times ?? 0) + 1;
    refused.set(text, { until: now + Math.min(AGAIN_MS.first * 2 ** (times - 1), AGAIN_MS.most), times });
    return times === 1;
  }

  return {
    offer(backends, now) {
      let left = atOnce;
      const chosen = new Set(
        backends.filter((one) => {
          if (isProven(one)) return true;
          if ((refused.get(textOf(one.route))?.until ?? 0) > now || left <= 0) return false;
          left -= 1;
          return true;
        }),
      );
      const taken = new Set([...chosen].flatMap(({ route }) => placesOf(route)));
      return backends.flatMap((one) => {
        if (chosen.has(one)) return [one];
        const route = proven.get(one.route.name);
        return route && !placesOf(route).some((place) => taken.has(place)) ? [{ ...one, route }] : [];
      });
    },
    worked(backends) {
      proven = new Map(backends.map(({ route }) => [route.name, route]));
      for (const { route } of backends) refused.delete(textOf(route));
    },
    failed(backends, now) {
      const suspects = backends.filter((one) => !isProven(one));
      const [only, ...more] = suspects;
      atOnce = more.length > 0 ? Math.ceil(suspects.length / 2) : Number.POSITIVE_INFINITY;
      if (!only || more.length > 0) return undefined;
      refuse(only, now);
      return only;
    },
    refuse,
  };
}

/** What of a backend decides whether it is refused: everything but its servers. */
function textOf(route: BackendRoute): string {
  return JSON.stringify(route);
}
