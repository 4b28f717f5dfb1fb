import type { LoggedEvent } from "../logged.ts";
import type { Fact } from "../notice/notice.ts";
import { hear } from "./hear.ts";
import type { Memory } from "./memory.ts";

/** An event with the log it is from; what was found in the statuses is from none. */
export interface News {
  readonly event: LoggedEvent["event"];
  readonly log?: string;
  readonly seq?: number;
}

/**
 * Hears events until there are `most` facts; what is left is heard next time, since the memory says how far each log was heard.
 * @param ends the last place of each log.
 */
export function listen(
  memory: Memory,
  news: readonly News[],
  { ends, most, now }: { readonly ends: Memory["heard"]; readonly most: number; readonly now: number },
): { readonly memory: Memory; readonly facts: readonly Fact[]; readonly whole: boolean } {
  const facts: Fact[] = [];
  let current = memory;
  let done = 0;
  for (const { event } of news) {
    if (facts.length >= most) break;
    const next = hear(current, event, now);
    current = next.memory;
    facts.push(...next.facts);
    done += 1;
  }
  const heard = { ...ends };
  // What is not heard yet bounds its log, whatever of it came before in time.
  for (const { log, seq } of news.slice(done))
    if (log !== undefined && seq !== undefined) heard[log] = Math.min(heard[log] ?? 0, seq - 1);
  return { memory: { ...current, heard }, facts, whole: done === news.length };
}
