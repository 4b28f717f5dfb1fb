import { messageOf, SluiceError, systemClock } from "@sluice/core";

/** How long the demo waits for its jobs' own answers. */
const ANSWER_MS = 15_000;

/** What the demo found out about one job's own work. */
export interface Worked {
  readonly good: boolean;
  readonly text: string;
}

/** Asks the example's web app for its page, on the port that Marathon gave it. */
export async function shopAnswer(marathon: string): Promise<Worked> {
  try {
    const { tasks } = await ask<{ tasks: { host: string; ports: number[] }[] }>(
      `${marathon}/v2/apps/shop/web/tasks`,
    );
    const [task] = tasks;
    if (!task) return { good: false, text: "the shop has no running task" };
    const url = `http://${task.host}:${task.ports[0]}/`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    const [firstLine] = (await answer.text()).split("\n");
    return { good: answer.ok, text: `the shop answers at ${url}: ${firstLine}` };
  } catch (error) {
    return { good: false, text: `the shop does not answer: ${messageOf(error)}` };
  }
}

/** Waits until Chronos says that the report's first run succeeded. */
export async function reportDone(chronos: string): Promise<Worked> {
  const until = Date.now() + ANSWER_MS;
  for (;;) {
    const job = await ask<{ successCount: number; errorCount: number }>(
      `${chronos}/v1/scheduler/job/nightly-report`,
    ).catch(() => undefined);
    if (job && job.successCount > 0)
      return { good: true, text: "the nightly report ran: see /tmp/sluice-shop/nightly-report.txt" };
    if (Date.now() > until)
      return { good: false, text: `the nightly report did not run within ${ANSWER_MS / 1_000} s` };
    await systemClock.sleep(100);
  }
}

async function ask<T>(url: string): Promise<T> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
  if (!answer.ok) throw new SluiceError("SCHEDULER_UNREACHABLE", `${url} answered ${answer.status}`);
  return (await answer.json()) as T;
}
