import { displayPath, messageOf, type Problem, redact } from "@sluice/core";

/** `apps/web.yaml:3: what is wrong`. */
export function problemText({ file, line, message }: Problem): string {
  return `${displayPath(file)}${line === undefined ? "" : `:${line}`}: ${message}`;
}

/** A sentence for what was thrown, fit to be stored and shown. */
export function failureText(error: unknown): string {
  return redact(messageOf(error));
}
