import { AGAIN, type KvOp, type Outcome, wait } from "@sluice/core";
import type { Pass, Work } from "./pass.ts";

/** Commits under the lock; the index, or undefined where another hand was faster. @throws LOCK_LOST. */
export async function commitFenced(
  pass: Pass,
  ops: readonly KvOp[],
  signal: AbortSignal,
): Promise<string | undefined> {
  signal.throwIfAborted();
  const result = await pass.settings.kv.commit(ops, { fence: pass.fence }, signal);
  return result.applied ? result.index : undefined;
}

/** After a conflict everything is compared: at once where that was not done yet, else a little later. */
export function conflict(work: Work): Outcome {
  if (!work.whole) return AGAIN;
  return wait("Conflict", "another hand writes to the same keys; they are compared again", 1000);
}

/** The marker's ModifyIndex after it was written: an identical value leaves it as it was. */
export function indexAfter(
  before: { readonly index: string; readonly value: Uint8Array },
  value: Uint8Array,
  committed: string,
): string {
  return Buffer.compare(before.value, value) === 0 ? before.index : committed;
}
