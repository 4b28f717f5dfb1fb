import { sanitisedPath } from "../ids.ts";
import { ROLE, timestamp } from "../model.ts";
import { podJson } from "../pod/pod-app.ts";
import { Refusal } from "../refusal.ts";
import type { Fleet } from "../tasks/fleet.ts";
import type { Api } from "./api.ts";
import { appJson } from "./app-json.ts";
import { type Answer, type ApiRequest, route } from "./router.ts";

/** The queue of launches, and the server itself. */
export const clusterRoutes = [
  route("GET", /^\/v2\/queue\/*$/, showQueue),
  route("DELETE", /^\/v2\/queue\/(.+)\/delay\/*$/, resetDelay),
  route("GET", /^\/v2\/info\/*$/, showInfo),
  route("GET", /^\/v2\/leader\/*$/, (_, api) => ({ status: 200, json: { leader: api.address() } })),
  route("GET", /^\/ping\/*$/, ({ raw }) =>
    raw.headers.accept?.startsWith("application/json")
      ? { status: 200, json: "pong" }
      : { status: 200, text: "pong", headers: { "Content-Type": "text/plain;charset=utf-8" } },
  ),
];

function showQueue(_: ApiRequest, api: Api): Answer {
  return { status: 200, json: { queue: api.fleets.waiting().flatMap((fleet) => queued(fleet, api)) } };
}

function queued(fleet: Fleet, api: Api): Record<string, unknown>[] {
  const pending = fleet.pending();
  if (!pending) return [];
  const { app, count, delayMs, reasons, since } = pending;
  const rejections = reasons.map((reason) => ({ reason, declined: 1, processed: 1 }));
  return [
    {
      count,
      ...(api.profile.role && { role: ROLE }),
      delay: { timeLeftSeconds: Math.ceil(delayMs / 1000), overdue: delayMs <= 0 },
      since: timestamp(since),
      processedOffersSummary: {
        processedOffersCount: rejections.length,
        unusedOffersCount: rejections.length,
        ...(rejections.length > 0 && { lastUnusedOfferAt: timestamp(since) }),
        rejectSummaryLastOffers: rejections,
        rejectSummaryLaunchAttempt: rejections,
      },
      ...(app.pod ? { pod: podJson(app) } : { app: appJson(api.profile, app) }),
    },
  ];
}

function resetDelay({ params }: ApiRequest, api: Api): Answer {
  const id = sanitisedPath(params[0] ?? "");
  const fleet = api.fleets.get(id);
  if (!fleet?.pending()) throw new Refusal(404, { message: `Application ${id} not found in tasks queue.` });
  fleet.resetDelay();
  return { status: 204 };
}

function showInfo(_: ApiRequest, api: Api): Answer {
  const [, port] = api.address().split(":");
  return {
    status: 200,
    json: {
      name: "marathon",
      version: api.profile.version,
      buildref: "embedded",
      elected: true,
      leader: api.address(),
      frameworkId: api.store.frameworkId,
      marathon_config: {
        checkpoint: true,
        framework_name: "marathon",
        ha: false,
        hostname: api.host,
        local_port_min: 10000,
        local_port_max: 20000,
        mesos_role: ROLE,
        mesos_user: "",
        task_launch_timeout: 300000,
        task_reservation_timeout: 20000,
        features: [],
      },
      zookeeper_config: {},
      http_config: { http_port: Number(port), https_port: null },
    },
  };
}
