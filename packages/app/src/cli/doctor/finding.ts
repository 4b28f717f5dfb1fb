import { ERROR_CODES, isSluiceError, messageOf } from "@sluice/core";

/** What one check found. */
export interface Finding {
  readonly good: boolean;
  readonly text: string;
  /** What to do about it, where it is not good. */
  readonly hint?: string;
}

export type Check = () => Promise<Finding>;

/** How long one check may take, in milliseconds. */
export const PATIENCE_MS = 15_000;

/** A finding of work that says what it found, or throws. A hint that the error has of its own comes first. */
export async function said(what: string, hint: string, work: () => Promise<string>): Promise<Finding> {
  try {
    return { good: true, text: `${what}: ${await work()}` };
  } catch (error) {
    const own = isSluiceError(error) && error.hint !== ERROR_CODES[error.code][1] ? error.hint : undefined;
    return { good: false, text: `${what}: ${messageOf(error)}`, hint: own ?? hint };
  }
}
