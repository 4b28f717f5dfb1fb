import { SluiceError } from "@sluice/core";
import type { HttpAnswer } from "./connection.ts";

/** What every scheduler's refusals have in common. Transient: 408, 429, redirections and 5xx; for good: the other 4xx. */
export function commonFailure(name: string, answer: HttpAnswer, detail: string | undefined): SluiceError {
  const { status } = answer;
  const words = detail === undefined ? "" : `: ${detail}`;
  if (status === 401 || status === 403)
    return new SluiceError("SCHEDULER_DENIED", `${name} refused the credentials (${status})`);
  if (status >= 400 && status < 500 && status !== 408 && status !== 429)
    return new SluiceError("SCHEDULER_INVALID", `${name} refused the request (${status})${words}`);
  return new SluiceError("SCHEDULER_UNREACHABLE", `${name} cannot answer now (${status})${words}`);
}

/** An answer of the right status but not of the right shape: a proxy's page, or not this scheduler at all. */
export function strangeAnswer(name: string, question: string): SluiceError {
  return new SluiceError(
    "SCHEDULER_UNREACHABLE",
    `${name} answered ${question} with something else than it should`,
    {
      hint: "Check that the target's address is the scheduler's own, with no login page or proxy in between.",
    },
  );
}
