import { envName } from "@sluice/core";

const LONGEST = 60;

/** A name for an environment that reads like this text, and is not taken yet. */
export function environmentName(text: string, taken: ReadonlySet<string>): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, LONGEST)
    .replace(/^-+|-+$/g, "");
  const base = allowed(plain) ? plain : `git-${plain || "config"}`;
  for (let number = 1; ; number++) {
    const name = number === 1 ? base : `${base}-${number}`;
    if (!taken.has(name)) return name;
  }
}

function allowed(name: string): boolean {
  try {
    envName(name);
    return true;
  } catch {
    return false;
  }
}
