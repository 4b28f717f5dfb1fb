import type { Reason } from "../model/reason.ts";

/** How a step, or a whole pass, ended. What was not expected is thrown instead, and always means "transient, retry". */
export type Outcome =
  | { readonly kind: "ok" }
  /** Run again at once: something moved meanwhile. */
  | { readonly kind: "again" }
  | { readonly kind: "wait"; readonly reason: Reason; readonly message: string; readonly retryInMs: number }
  /** Only a new revision or a person can help. */
  | { readonly kind: "stalled"; readonly reason: Reason; readonly message: string };

export const OK: Outcome = { kind: "ok" };
export const AGAIN: Outcome = { kind: "again" };

export function wait(reason: Reason, message: string, retryInMs: number): Outcome {
  return { kind: "wait", reason, message, retryInMs };
}

export function stalled(reason: Reason, message: string): Outcome {
  return { kind: "stalled", reason, message };
}

/** One thing a service does in a pass. It reads and fills the context; the first outcome that is not ok ends the pass. */
export type Step<Context> = (context: Context, signal: AbortSignal) => Promise<Outcome> | Outcome;

/** Runs the steps in order. @throws what a step throws, and the signal's reason between steps once it aborted. */
export async function runSteps<Context>(
  steps: readonly Step<Context>[],
  context: Context,
  signal: AbortSignal,
): Promise<Outcome> {
  for (const step of steps) {
    signal.throwIfAborted();
    const outcome = await step(context, signal);
    if (outcome.kind !== "ok") return outcome;
  }
  return OK;
}
