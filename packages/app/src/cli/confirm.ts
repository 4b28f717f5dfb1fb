import { createInterface } from "node:readline/promises";
import { SluiceError } from "@sluice/core";
import type { CliContext } from "./context.ts";

/**
 * Asks the person at the terminal; anything but y or yes is a no.
 * @throws USAGE where nobody is there to be asked.
 */
export async function confirmed(question: string, context: CliContext): Promise<boolean> {
  if (context.ask) return isYes(await context.ask(question));
  if (!context.tty || process.stdin.isTTY !== true)
    throw new SluiceError("USAGE", "nobody is there to be asked; nothing was changed", {
      hint: "Say --yes where you have looked at what would happen.",
    });
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return isYes(await lines.question(question, { signal: context.signal }));
  } finally {
    lines.close();
  }
}

function isYes(answer: string): boolean {
  return /^\s*y(es)?\s*$/i.test(answer);
}
