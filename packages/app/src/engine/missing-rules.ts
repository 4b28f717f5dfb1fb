import { type Emit, isSluiceError } from "@sluice/core";

/** Tells of each rule a service can do without, but should have, once. What else failed is not told here. */
export function missingRules(emit: Emit, role: string): (error: unknown) => void {
  const told = new Set<string>();
  return (error) => {
    if (!isSluiceError(error, "KV_DENIED", "KV_FILTERED") || told.has(error.message)) return;
    told.add(error.message);
    emit({ type: "rule.missing", role, code: error.code, message: error.message });
  };
}
