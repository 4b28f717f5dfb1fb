import { isSluiceError } from "../errors.ts";
import type { Emit } from "../ports/event-sink.ts";

/**
 * What a service does with the failures of reads it can do without, such as watches that only save time: whoever forgot
 * the rule for one hears of it, once. @returns takes each failure; what is none of rules is not told here.
 */
export function missingRules(emit: Emit, role: string): (error: unknown) => void {
  const told = new Set<string>();
  return (error) => {
    if (!isSluiceError(error, "KV_DENIED", "KV_FILTERED") || told.has(error.message)) return;
    told.add(error.message);
    emit({ type: "rule.missing", role, code: error.code, message: error.message });
  };
}
