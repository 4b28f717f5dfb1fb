import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { SluiceError } from "@sluice/core";

/** Where the ACL token comes from; a file may be rewritten at any time by whoever issues tokens. */
export interface TokenSource {
  current(): string | undefined;
  /** Called after a refusal: true if there is another token now than the refused one, so that asking again makes sense. */
  renewed(refused: string | undefined): Promise<boolean>;
}

/** @throws CONFIG_INVALID where the file cannot be read. */
export function tokenSource(token: string | undefined, file: string | undefined): TokenSource {
  if (file === undefined) return { current: () => token, renewed: async () => false };
  let now = readConfigured("tokenFile", file).toString().trim();
  return {
    current: () => now,
    async renewed(refused) {
      const next = await readFile(file, "utf8").catch(() => now);
      // Of a file that is being written anew there may be nothing yet.
      now = next.trim() || now;
      // Of several requests that were refused together, another one may have read the file.
      return now !== refused;
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
