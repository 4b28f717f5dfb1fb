import {
  type Clock,
  decodeRecord,
  type EnvName,
  type EventSink,
  type Kv,
  type KvEntry,
  parseRevision,
  type RevisionMarker,
  type SluiceEvent,
} from "@sluice/core";
import { formatDuration } from "../config/duration.ts";
import { type Environment, milliseconds } from "./environment.ts";
import type { Looked } from "./look.ts";
import { roleReadiness } from "./readiness-roles.ts";
import type { Role } from "./roles.ts";

/** A mirror that fails for longer than so many of its intervals makes its process not ready. */
const PATIENCE_INTERVALS = 3;

/** Whether this process does what it is there for. */
export interface Readiness {
  /** Hears what the services of this process tell. */
  readonly sink: EventSink;
  readonly looked: Looked;
  /**
   * A sentence for each environment that this process should mirror and whose state is not to be relied on: it was never
   * mirrored whole, by this or another process, or the mirror here has been failing for long; and one for each other service
   * that cannot do its work. Empty: ready. @throws as `Kv`.
   */
  problems(): Promise<readonly string[]>;
}

interface Known {
  /** When the mirror began to fail, and why; undefined while it does not. */
  failing: { readonly since: number; readonly message: string } | undefined;
  /** What keeps the first revision from being mirrored, as far as it was told. */
  obstacle: string | undefined;
}

export interface ReadinessOptions {
  readonly kv: Kv;
  readonly environments: readonly Environment[];
  /** A process that does not mirror them is ready when the KV answers and its other services work. */
  readonly roles: ReadonlySet<Role>;
  readonly clock: Clock;
}

export function readiness(options: ReadinessOptions): Readiness {
  const { kv, environments, roles, clock } = options;
  const services = roleReadiness(options);
  const known = new Map<EnvName, Known>();
  return {
    sink: {
      emit(event) {
        services.sink.emit(event);
        const state = known.get(event.environment) ?? { failing: undefined, obstacle: undefined };
        known.set(event.environment, state);
        learn(state, event);
      },
    },
    looked: services.looked,
    async problems() {
      const entries = await kv.getMany(environments.map(({ layout }) => layout.revision));
      if (!roles.has("mirror")) return services.problems();
      const unmirrored = environments.flatMap((environment) => {
        const why = objection(environment, known.get(environment.name), {
          marker: markerIn(entries.get(environment.layout.revision)),
          now: clock.now(),
        });
        return why === undefined ? [] : [`${environment.name}: ${why}`];
      });
      return [...unmirrored, ...services.problems()];
    },
  };
}

function learn(state: Known, event: SluiceEvent): void {
  if (event.type === "mirror.failed") state.failing = { since: Date.parse(event.at), message: event.message };
  else if (event.type === "mirror.waiting") state.obstacle = event.message;
  else if (event.type === "mirror.refused")
    state.obstacle = event.problems[0]?.message ?? "its newest commit is refused";
  else if (event.type === "mirror.synced" || event.type === "mirror.checked") state.obstacle = undefined;
  // Another process leads once this one does not: what failed here says nothing about that one.
  if (/^(mirror\.(recovered|synced|checked)|leader\.lost)$/.test(event.type)) state.failing = undefined;
}

function objection(
  { config }: Environment,
  state: Known | undefined,
  { marker, now }: { readonly marker: RevisionMarker | undefined; readonly now: number },
): string | undefined {
  const whole = marker?.state === "synced" || marker?.previous !== undefined;
  const { failing, obstacle } = state ?? {};
  if (!whole)
    return `it was never mirrored: ${failing?.message ?? obstacle ?? "the first mirror is not done yet"}`;
  if (!failing) return undefined;
  const patience = PATIENCE_INTERVALS * milliseconds(config.source.interval);
  const lasts = now - failing.since;
  if (lasts <= patience) return undefined;
  return `its mirror has been failing for ${formatDuration(lasts)}: ${failing.message}`;
}

function markerIn(entry: KvEntry | undefined): RevisionMarker | undefined {
  if (!entry) return undefined;
  try {
    const marker = decodeRecord("marker", entry);
    parseRevision(marker.revision);
    return marker;
  } catch {
    return undefined;
  }
}
