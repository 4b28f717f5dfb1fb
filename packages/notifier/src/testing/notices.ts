import { type CommitId, envName, type JobKey, revisionOf, type TargetName } from "@sluice/core";
import type { Notice } from "../notice/notice.ts";

export const COMMIT = "0123456789abcdef0123456789abcdef01234567" as CommitId;
export const NOW = Date.UTC(2026, 0, 1, 12);

/** A notice that says everything a notice can say. */
export function aNotice(more: Partial<Notice> = {}): Notice {
  return {
    id: "n1",
    kind: "deployment.degraded",
    severity: "error",
    environment: envName("production"),
    at: "2026-01-01T12:00:00.000Z",
    title: "production: main@sha1:01234567 is degraded",
    message: "apps/shop/web: not healthy within 5m",
    reason: "HealthTimeout",
    target: "apps" as TargetName,
    revision: revisionOf("main", COMMIT),
    previous: revisionOf("main", "f".repeat(40) as CommitId),
    commit: { id: COMMIT, subject: "web: 1.4.1 → 1.4.2", author: "Ada" },
    ms: 302_400,
    jobs: [
      {
        key: "apps/shop/web" as JobKey,
        kind: "job.failed",
        change: "update",
        fields: [{ path: "container.docker.image", from: "web:1.4.1", to: "web:1.4.2" }],
        owner: "shop",
        reason: "HealthTimeout",
        message: "not healthy within 5m",
        rollback: "sluice rollback apps/shop/web --to ffffffffffff",
      },
    ],
    moreJobs: 3,
    url: "https://sluice.example/production",
    ...more,
  };
}

/** The same with every text as hostile as it can be. */
export function hostileNotice(): Notice {
  const evil =
    '<!channel> <@U1> @everyone *b* [x](http://evil) `code` ``` </pre><script>alert(1)</script> & "quoted" <at>all</at>';
  const [job] = aNotice().jobs;
  return aNotice({
    title: evil,
    message: evil,
    reason: evil,
    commit: { id: COMMIT, subject: evil, author: evil },
    jobs: job ? [{ ...job, message: evil, owner: evil }] : [],
  });
}

/** The longest of everything. */
export function hugeNotice(): Notice {
  const long = "é&<".repeat(2_000);
  const jobs = Array.from({ length: 20 }, (_, at) => ({
    key: `apps/${"x".repeat(200)}${at}` as JobKey,
    kind: "job.failed" as const,
    reason: "HealthTimeout",
    message: long.slice(0, 300),
    fields: Array.from({ length: 3 }, (_, place) => ({
      path: `f${place}`,
      from: long.slice(0, 120),
      to: long.slice(0, 120),
    })),
  }));
  return aNotice({ title: long.slice(0, 200), message: long.slice(0, 1_500), jobs });
}
