import { type Clock, EVERY_ENVIRONMENT, type EventSink, type EventType } from "@sluice/core";
import { formatDuration } from "../config/duration.ts";
import type { Look, Looked } from "./look.ts";
import type { Role } from "./roles.ts";

/** Whether the services of this process, but for mirrors and deployers, can do their work. */
export interface RoleReadiness {
  readonly sink: EventSink;
  readonly looked: Looked;
  /** A sentence for each service that cannot. */
  problems(): readonly string[];
}

export interface RoleReadinessOptions {
  readonly roles: ReadonlySet<Role>;
  readonly clock: Clock;
}

interface Watched {
  readonly role: Role;
  readonly who: string;
  readonly failed: EventType;
  readonly recovered: EventType;
  /** Works on this machine without a leader's lock: it is not ready before its first look has come to its end. */
  readonly looks?: Look["service"];
}

/** How long a service that has worked may fail: Docker or a load balancer may be started anew. */
const PATIENCE_MS = 60_000;

const WATCHED: readonly Watched[] = [
  {
    role: "registrar",
    who: "the registrar",
    failed: "registrar.failed",
    recovered: "registrar.recovered",
    looks: "registrar",
  },
  {
    role: "router",
    who: "the router",
    failed: "router.failed",
    recovered: "router.recovered",
    looks: "router",
  },
  { role: "build-trigger", who: "the build trigger", failed: "builds.failed", recovered: "builds.recovered" },
  { role: "image-updater", who: "the image updater", failed: "images.failed", recovered: "images.recovered" },
];

interface Failing {
  readonly since: number;
  readonly message: string;
}

export function roleReadiness({ roles, clock }: RoleReadinessOptions): RoleReadiness {
  const watched = WATCHED.filter(({ role }) => roles.has(role));
  const hasLooked = new Set<string>();
  /** By service and environment. */
  const failing = new Map<string, Failing>();

  function objections({ who, looks, role }: Watched): readonly string[] {
    const found = [...failing].filter(([key]) => key.startsWith(`${role} `));
    if (looks !== undefined && !hasLooked.has(looks)) {
      const why = found[0]?.[1].message ?? "its first look is not done yet";
      return [`${who} does not work yet: ${why}`];
    }
    return found.flatMap(([key, { since, message }]) => {
      const lasts = clock.now() - since;
      if (lasts <= PATIENCE_MS) return [];
      const environment = key.slice(role.length + 1);
      const whose = environment === EVERY_ENVIRONMENT ? "" : ` of ${environment}`;
      return [`${who}${whose} has been failing for ${formatDuration(lasts)}: ${message}`];
    });
  }

  return {
    sink: {
      emit(event) {
        for (const { role, failed, recovered } of watched) {
          const key = `${role} ${event.environment}`;
          if (event.type === failed && "message" in event)
            failing.set(key, { since: Date.parse(event.at), message: event.message });
          // Another process leads once this one does not: what failed here says nothing about that one.
          else if (event.type === recovered || (event.type === "leader.lost" && event.role === role))
            failing.delete(key);
        }
      },
    },
    looked: ({ service }) => void hasLooked.add(service),
    problems: () => watched.flatMap(objections),
  };
}
