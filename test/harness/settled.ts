import { eventually } from "./eventually.ts";

/** What an answer has come to once it stays the same for a second. */
export async function settled<T>(ask: () => Promise<T>): Promise<T> {
  let last = JSON.stringify(await ask());
  let since = Date.now();
  return eventually("nothing changes for a second", async () => {
    const answer = await ask();
    const text = JSON.stringify(answer);
    if (text !== last) [last, since] = [text, Date.now()];
    return Date.now() - since > 1_000 ? answer : undefined;
  });
}
