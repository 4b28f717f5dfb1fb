import { sanitisedPath } from "../ids.ts";
import { ROLE, timestamp } from "../model.ts";
import { podJson } from "../pod/pod-app.ts";
import { Refusal } from "../refusal.ts";
import type { Fleet } from "../tasks/fleet.ts";
import type { Api } from "./api.ts";
import { appJson } from "./app-json.ts";
import { type Answer, type ApiRequest, route } from "./router.ts";

/** Launches that wait for something. */
export const queueRoutes = [
  route("GET", /^\/v2\/queue\/*$/, showQueue),
  route("DELETE", /^\/v2\/queue\/(.+)\/delay\/*$/, resetDelay),
];

function showQueue({ query }: ApiRequest, api: Api): Answer {
  const withOffers = query.getAll("embed").includes("lastUnusedOffers");
  const items = api.fleets.waiting().flatMap((fleet) => queued(fleet, api));
  const queue = withOffers ? items.map((item) => ({ ...item, lastUnusedOffers: [] })) : items;
  return { status: 200, json: { queue } };
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
