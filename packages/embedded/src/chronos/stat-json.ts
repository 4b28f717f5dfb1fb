import type { TaskStat } from "./task.ts";

/** The body of `/job/stat/{name}`: durations in seconds, and the runs that history keeps, newest first. */
export function statJson(job: string, stats: readonly TaskStat[]): Record<string, unknown> {
  return { histogram: histogram(secondsOf(stats)), taskStatHistory: stats.map((stat) => shown(job, stat)) };
}

/** How long the successful runs took, the shortest first. */
function secondsOf(stats: readonly TaskStat[]): number[] {
  return stats
    .flatMap((stat) =>
      stat.status === "Success" && stat.endedAt !== undefined ? [(stat.endedAt - stat.startedAt) / 1000] : [],
    )
    .sort((a, b) => a - b);
}

/** A percentile of every job that has it, in seconds, the longest first: the body of `/stats/{percentile}`. */
export function percentileJson(
  percentile: string,
  jobs: readonly string[],
  history: ReadonlyMap<string, readonly TaskStat[]>,
): { jobNameLabel: string; time: number }[] {
  const found = jobs.flatMap((job) => {
    const time = histogram(secondsOf(history.get(job) ?? []))[percentile];
    return time === undefined ? [] : [{ jobNameLabel: job, time }];
  });
  return found.sort((a, b) => b.time - a.time);
}

function histogram(sorted: readonly number[]): Record<string, number> {
  const at = (percent: number) => sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
  return {
    "75thPercentile": at(75),
    "95thPercentile": at(95),
    "98thPercentile": at(98),
    "99thPercentile": at(99),
    median: at(50),
    mean: sorted.length === 0 ? 0 : sorted.reduce((sum, one) => sum + one, 0) / sorted.length,
    count: sorted.length,
  };
}

/** `message` is ours: a real Chronos has none, and here it is where a person learns why a run failed. */
function shown(job: string, stat: TaskStat): Record<string, unknown> {
  const { startedAt, endedAt } = stat;
  return {
    taskId: stat.taskId,
    jobName: job,
    slaveId: "local",
    startTime: dateText(startedAt),
    endTime: endedAt === undefined ? "N/A" : dateText(endedAt),
    ...(endedAt === undefined ? {} : { duration: durationText(endedAt - startedAt) }),
    status: stat.status,
    ...(stat.elements === undefined ? {} : { numElementsProcessed: stat.elements }),
    ...(stat.message === undefined ? {} : { message: stat.message }),
  };
}

/** `MM/dd/yy HH:mm:ss`, UTC. */
function dateText(ms: number): string {
  const [date = "", time = ""] = new Date(ms).toISOString().split("T");
  const [year = "", month = "", day = ""] = date.split("-");
  return `${month}/${day}/${year.slice(2)} ${time.slice(0, 8)}`;
}

function durationText(ms: number): string {
  const all = Math.floor(ms / 1000);
  const parts = [Math.floor(all / 86400), Math.floor(all / 3600) % 24, Math.floor(all / 60) % 60];
  const shownParts = parts.map((part, index) => (part > 0 ? `${part}${"dhm"[index]}` : ""));
  return `${shownParts.join("")}${all % 60}s`;
}
