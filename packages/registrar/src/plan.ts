import type { CheckStatus, RegisteredService, ServiceDefinition } from "@sluice/core";
import { dockerCheckId } from "./checks.ts";
import type { Container } from "./container.ts";
import { CONTAINER, FINGERPRINT } from "./services.ts";

/** A service that a container is to be found as. */
export interface WantedService {
  readonly service: ServiceDefinition;
  readonly container: Pick<Container, "id" | "health">;
}

/** What is to be said of a service's HEALTHCHECK. */
export interface Report {
  readonly checkId: string;
  readonly status: CheckStatus;
  readonly output: string;
}

export interface RegistrationPlan {
  readonly register: readonly WantedService[];
  readonly report: readonly Report[];
  /** Ids. */
  readonly deregister: readonly string[];
}

/**
 * What to do to make the catalog say what runs. A service of a container that could not be looked at stays as it is.
 * @param unknown short ids of containers that run and about which nothing is known.
 * @param isStale whether what was reported last is so old that it is said again.
 */
export function planRegistrations(
  wanted: ReadonlyMap<string, WantedService>,
  owned: readonly RegisteredService[],
  unknown: ReadonlySet<string>,
  isStale: (checkId: string) => boolean = () => false,
): RegistrationPlan {
  const known = new Map(owned.map((one) => [one.id, one]));
  const register = [...wanted.values()].filter(({ service }) => !isAsWanted(service, known.get(service.id)));
  const renewed = new Set(register.map(({ service }) => service.id));
  const report = [...wanted.values()].flatMap(({ service, container }) => {
    if (container.health === "none") return [];
    const said = reportOf(service.id, container);
    const now = renewed.has(service.id) ? undefined : known.get(service.id)?.checks.get(said.checkId);
    const same = now?.status === said.status && now.output === said.output;
    return same && !isStale(said.checkId) ? [] : [said];
  });
  const deregister = owned
    .filter(({ id, meta }) => !wanted.has(id) && !unknown.has(meta[CONTAINER] ?? ""))
    .map(({ id }) => id);
  return { register, report, deregister };
}

/** What a HEALTHCHECK printed is not passed on: it may hold anything. */
export function reportOf(serviceId: string, { health }: WantedService["container"]): Report {
  const status = health === "healthy" ? "passing" : "critical";
  return { checkId: dockerCheckId(serviceId), status, output: health };
}

function isAsWanted(wanted: ServiceDefinition, now: RegisteredService | undefined): boolean {
  if (!now || now.meta[FINGERPRINT] !== wanted.meta[FINGERPRINT]) return false;
  return (
    now.name === wanted.name &&
    now.address === wanted.address &&
    now.port === wanted.port &&
    sameSet(now.tags, wanted.tags) &&
    sameSet(Object.entries(now.meta).map(String), Object.entries(wanted.meta).map(String)) &&
    sameSet(
      [...now.checks.keys()],
      wanted.checks.map(({ id }) => id),
    )
  );
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && [...a].sort().join("\0") === [...b].sort().join("\0");
}
