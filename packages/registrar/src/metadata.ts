import type { Container } from "./container.ts";

/** What a container says of itself in `SERVICE_*`, for one of its ports: the port's own words outrank the general ones. */
export interface Metadata {
  get(key: string): string | undefined;
  /** Whether `name` was said for this very port. */
  readonly namedForPort: boolean;
  /** Everything else, for the service's Meta. */
  readonly rest: ReadonlyMap<string, string>;
}

/** Keys that mean something here; the rest is Meta. */
const RESERVED = new Set(["id", "name", "tags", "ignore", "network", "address"]);
const PREFIX = "SERVICE_";

/**
 * Registrator's grammar (https://gliderlabs.github.io/registrator/latest/user/services/): environment first, labels over it;
 * `SERVICE_<port>_<KEY>` belongs to that inner port alone.
 */
export function metadataOf(container: Container, port: number): Metadata {
  const general = new Map<string, string>();
  const own = new Map<string, string>();
  for (const [name, value] of [...container.environment, ...container.labels]) {
    if (!name.startsWith(PREFIX)) continue;
    const [, number, key = ""] = /^(?:(\d+)_)?(.+)$/s.exec(name.slice(PREFIX.length)) ?? [];
    if (number === undefined) general.set(key.toLowerCase(), value);
    else if (Number(number) === port) own.set(key.toLowerCase(), value);
  }
  const all = new Map([...general, ...own]);
  const rest = [...all].filter(([key]) => !RESERVED.has(key) && !key.startsWith("check_"));
  return { get: (key) => all.get(key), namedForPort: own.has("name"), rest: new Map(rest) };
}

/** `false`, `0`, `no` and nothing mean no; anything else means yes. */
export function isSaid(text: string | undefined): boolean {
  return text !== undefined && !["", "false", "0", "no", "off"].includes(text.trim().toLowerCase());
}

/** A comma-separated list; `\,` stands for a comma. Empty parts are dropped. */
export function commaList(text: string): string[] {
  return text
    .split(/(?<!\\),/)
    .map((part) => part.replaceAll("\\,", ",").trim())
    .filter((part) => part !== "");
}
