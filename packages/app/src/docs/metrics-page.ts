import { metrics } from "../engine/metrics.ts";

/** The page of every metric, from the instruments themselves. */
export function metricsPage(): string {
  const rows = metrics().described.map(({ name, kind, labels, help }) => {
    const shown = labels.length === 0 ? "" : labels.map((label) => `\`${label}\``).join(", ");
    return `| \`${name}\` | ${kind} | ${shown} | ${help} |`;
  });
  return [
    "# Metrics and readiness",
    "",
    "A process with the role `http` answers `GET /metrics` for Prometheus and `GET /readyz` for whoever watches over it. Counters and looks are",
    "of the services in the same process: on a machine that registers or routes run `sluice up registrar router http`. How jobs stand is read",
    "from the KV, so any `http` tells it, whichever process deploys; where several are scraped, take the maximum.",
    "",
    "| metric | kind | labels | meaning |",
    "|---|---|---|---|",
    ...rows,
    "",
    "Beside these are the usual ones of a Node process: `sluice_process_cpu_seconds_total`, `sluice_process_resident_memory_bytes`,",
    "`sluice_nodejs_eventloop_lag_seconds` and so on.",
    "",
    "## Worth an alert",
    "",
    "| expression | says |",
    "|---|---|",
    '| `sluice_job_health{health=~"Degraded\\|Missing"} > 0` | jobs are not well |',
    '| `sluice_job_reason{reason=~"HeldAfterFailure\\|PrunePending\\|Drifted"} > 0` | jobs wait for a person, or differ from Git |',
    "| `sluice_target_failing > 0` | a scheduler cannot be read |",
    "| `time() - sluice_builds_oldest_open_timestamp_seconds > 3600` | a build hangs |",
    "| `time() - sluice_registrar_last_look_timestamp_seconds > 300` | containers are not registered any more |",
    "| `sluice_router_held_servers > 0` | much of a service vanished at once |",
    "| `increase(sluice_router_rollbacks_total[1h]) > 0` | a load balancer's file did not come to work |",
    "| `increase(sluice_mirror_fenced_writes_total[1h]) > 0` | a leader was paused, and was kept from writing |",
    "",
    "## /readyz",
    "",
    "200 and `ok`, or 503 and a sentence for each thing that is in the way. It needs no token.",
    "",
    "| role | not ready |",
    "|---|---|",
    "| any | while the KV does not answer |",
    "| `mirror` | until an environment was mirrored whole once, by any process; when its mirror here fails for three intervals |",
    "| `registrar` | until all containers were looked at once, with Docker's and Consul's answer; when it fails for a minute |",
    "| `router` | until the load balancer was found, or made, as it should be; when it fails for a minute: it does not run, it refuses its file, the catalog cannot be read |",
    "| `build-trigger`, `image-updater` | when it leads and fails for a minute |",
    "",
    "A `deployer` is ready although a scheduler is away: `sluice status` and `sluice_target_failing` say so.",
    "",
  ].join("\n");
}
