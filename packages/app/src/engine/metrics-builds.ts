import type { SluiceEvent } from "@sluice/core";
import type { Registry } from "prom-client";
import type { Look } from "./look.ts";
import { instruments } from "./metrics-instruments.ts";

const BUCKETS = [1, 5, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200];

/** Counts builds and image versions: how the leaders of this process see them. */
export function buildMetrics(registry: Registry) {
  const build = instruments(registry, "build");
  const image = instruments(registry, "image");
  const known = build.gauge("s", "Remembered builds by state, at the leader's last look.", "app", "state");
  const oldest = build.gauge(
    "s_oldest_open_timestamp_seconds",
    "When the oldest build that is not done was asked for; its age is time() less this.",
    "app",
  );
  const finished = build.counter("s_finished_total", "Builds that ended, by how.", "app", "state");
  const seconds = build.histogram("_seconds", "From the request of a build to its end.", BUCKETS, "app");
  const waiting = build.gauge("s_waiting", "1 while the CI does not take the app's builds.", "app");
  const announced = image.gauge(
    "s_announced",
    "Images of which a version is announced, at the leader's last look.",
    "environment",
  );
  const commits = image.counter("_commits_total", "Commits of image versions.", "environment");
  const committed = image.counter("s_committed_total", "Image versions that were committed.", "environment");
  const refused = image.counter(
    "s_refused_total",
    "Announcements and places that cannot be used.",
    "environment",
  );
  const held = image.counter(
    "s_held_total",
    "Versions left out since a person went back from them.",
    "environment",
  );

  return {
    emit(event: SluiceEvent) {
      const { environment } = event;
      if (event.type === "build.waiting") waiting.set({ app: event.app }, 1);
      else if (event.type === "build.started") waiting.set({ app: event.app }, 0);
      else if (event.type === "build.finished") {
        waiting.set({ app: event.app }, 0);
        finished.inc({ app: event.app, state: event.state });
        seconds.observe({ app: event.app }, event.ms / 1_000);
      } else if (event.type === "image.committed") {
        commits.inc({ environment });
        committed.inc({ environment }, event.changes.length);
      } else if (event.type === "image.refused") refused.inc({ environment });
      else if (event.type === "image.held") held.inc({ environment });
      else if (event.type === "leader.lost" && event.role === "build-trigger")
        for (const one of [known, oldest, waiting]) one.reset();
      else if (event.type === "leader.lost" && event.role === "image-updater")
        announced.remove({ environment });
    },
    looked(look: Look) {
      if (look.service === "image-updater") announced.set({ environment: look.environment }, look.announced);
      if (look.service !== "build-trigger") return;
      const { app, states, oldestOpen } = look;
      for (const state of STATES) known.set({ app, state }, states[state] ?? 0);
      if (oldestOpen === undefined) oldest.remove({ app });
      else oldest.set({ app }, oldestOpen / 1_000);
    },
  };
}

const STATES = [
  "requested",
  "starting",
  "queued",
  "running",
  "succeeded",
  "failed",
  "aborted",
  "handed-over",
  "lost",
] as const;
