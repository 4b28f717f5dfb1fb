import { hostname } from "node:os";
import type { CliContext } from "./context.ts";

/** Who types this, as far as their machine tells: `ada@workshop`. It is said to people, never used to allow anything. */
export function personAt({ env }: CliContext): string {
  return `${env.SLUICE_USER || env.USER || env.LOGNAME || "somebody"}@${hostname()}`;
}
