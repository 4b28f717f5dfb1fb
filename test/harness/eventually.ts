import { setTimeout as sleep } from "node:timers/promises";

/** Asks until the answer is not undefined; fails with the last error, or the sentence, at the deadline. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  deadlineMs = 15_000,
): Promise<T> {
  const until = Date.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > until) throw new Error(`not within ${deadlineMs} ms: ${what}`, { cause: last });
    await sleep(20);
  }
}
