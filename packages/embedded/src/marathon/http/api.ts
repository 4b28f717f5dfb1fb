import type { Clock } from "@sluice/core";
import type { Deployments } from "../deployment/deployments.ts";
import type { EventBus } from "../events.ts";
import type { Leadership } from "../leadership.ts";
import type { Profile } from "../profiles.ts";
import type { RootGroup } from "../root/root-group.ts";
import type { ServicePorts } from "../root/service-ports.ts";
import type { Updates } from "../root/updates.ts";
import type { Store } from "../store.ts";
import type { Fleets } from "../tasks/fleets.ts";

/** What the HTTP routes work on. */
export interface Api {
  root: RootGroup;
  updates: Updates;
  deployments: Deployments;
  fleets: Fleets;
  ports: ServicePorts;
  store: Store;
  leadership: Leadership;
  events: EventBus;
  profile: Profile;
  clock: Clock;
  /** Host name of the one agent, as tasks show it. */
  host: string;
  /** `host:port` of this server. */
  address: () => string;
  closing: AbortSignal;
}
