import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { SluiceError } from "@sluice/core";

/** Where the ACL token comes from; a file may be rewritten at any time by whoever issues tokens. */
export interface TokenSource {
  current(): string | undefined;
  /** Called after a refusal: true if there is another token now, so that asking again makes sense. */
  renewed(): Promise<boolean>;
}

/** @throws CONFIG_INVALID where the file cannot be read. */
export function tokenSource(token: string | undefined, file: string | undefined): TokenSource {
  if (file === undefined) return { current: () => token, renewed: async () => false };
  let now = readConfigured("tokenFile", file).toString().trim();
  return {
    current: () => now,
    async renewed() {
      const next = await readFile(file, "utf8").catch(() => now);
      const changed = next.trim() !== now;
      now = next.trim();
      return changed;
    },
  };
}

/** Reads a file that a setting names. @throws CONFIG_INVALID with the setting's name. */
export function readConfigured(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new SluiceError("CONFIG_INVALID", `The file of consul.${setting}, ${file}, cannot be read.`, {
      cause,
    });
  }
}
