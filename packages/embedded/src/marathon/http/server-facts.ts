import { ROLE } from "../model.ts";
import { Refusal } from "../refusal.ts";
import type { Api } from "./api.ts";
import { type Answer, type ApiRequest, route } from "./router.ts";

const SUBSCRIPTIONS = /^\/v2\/eventSubscriptions\/*$/;

/** The server itself: who it is, whether it leads, how it does. */
export const serverRoutes = [
  route("GET", /^\/v2\/info\/*$/, showInfo),
  route("GET", /^\/v2\/leader\/*$/, showLeader),
  route("DELETE", /^\/v2\/leader\/*$/, abdicate),
  ...["GET", "POST", "DELETE"].map((method) => route(method, SUBSCRIPTIONS, refuseSubscription)),
  route("GET", /^\/ping\/*$/, ({ raw }) =>
    raw.headers.accept?.startsWith("application/json")
      ? { status: 200, json: "pong" }
      : { status: 200, text: "pong", headers: { "Content-Type": "text/plain;charset=utf-8" } },
  ),
  route("GET", /^\/metrics\/*$/, showMetrics),
  route("GET", /^\/metrics\/prometheus\/*$/, () => ({ status: 404 })),
  route("GET", /^\/$/, () => ({ status: 302, headers: { Location: "/ui/" } })),
];

/** Paths that a server answers itself even while nobody leads. */
export function needsNoLeader(path: string): boolean {
  return /^\/(ping|metrics|v2\/leader)(\/|$)/.test(path);
}

function showLeader(_: ApiRequest, api: Api): Answer {
  if (!api.leadership.leads()) throw new Refusal(404, { message: "There is no leader" });
  return { status: 200, json: { leader: api.address() } };
}

/** A real Marathon ends its process now and another one takes over; this one is elected again after a while. */
function abdicate(_: ApiRequest, api: Api): Answer {
  if (!api.leadership.leads()) throw new Refusal(404, { message: "There is no leader" });
  api.leadership.abdicate();
  return { status: 200, json: { message: "Leadership abdicated" } };
}

function refuseSubscription({ url }: ApiRequest, { profile }: Api): Answer {
  if (profile.eventSubscriptions)
    throw new Refusal(400, {
      message:
        'http event callback system is not running on this Marathon instance. Please re-start this instance with "--event_subscriber http_callback".',
    });
  const { status, message } = profile.unknownRoute;
  throw new Refusal(status, { message: message.replace("%s", url.split("?")[0] ?? "") });
}

function showMetrics(_: ApiRequest, api: Api): Answer {
  const all = [...api.root.apps()];
  const running = [...api.fleets.all()].reduce((sum, fleet) => sum + fleet.instances().length, 0);
  const gauges = {
    "marathon.apps.active.gauge": all.filter((app) => !app.pod).length,
    "marathon.pods.active.gauge": all.filter((app) => app.pod).length,
    "marathon.deployments.active.gauge": api.deployments.list().length,
    "marathon.instances.running.gauge": running,
  };
  const shown = Object.entries(gauges).map(([name, value]) => [name, { value }]);
  return {
    status: 200,
    json: {
      start: new Date(api.clock.now()).toISOString(),
      counters: {},
      gauges: Object.fromEntries(shown),
      histograms: {},
      meters: {},
      timers: {},
    },
  };
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
      marathon_config: marathonConfig(api),
      zookeeper_config: { zk: "", zk_max_versions: 50, zk_session_timeout: 10000, zk_timeout: 10000 },
      http_config: { http_port: Number(port), https_port: null },
    },
  };
}

function marathonConfig(api: Api): Record<string, unknown> {
  return {
    checkpoint: true,
    decline_offer_duration: 120000,
    default_network_name: null,
    failover_timeout: 604800,
    features: [],
    framework_name: "marathon",
    ha: false,
    hostname: api.host,
    local_port_min: 10000,
    local_port_max: 20000,
    max_instances_per_offer: 100,
    mesos_role: ROLE,
    mesos_user: "",
    scale_apps_interval: 300000,
    task_launch_timeout: 300000,
    task_reservation_timeout: 20000,
    webui_url: null,
  };
}
