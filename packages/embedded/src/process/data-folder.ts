import { accessSync, constants, mkdirSync } from "node:fs";
import { lockFolder } from "./folder-lock.ts";

/**
 * Makes a server's data folder where there is none, and keeps every other server out of it until the returned function
 * is called or this process ends in any way.
 * @throws an Error with one sentence when the folder cannot be written or another server uses it.
 */
export async function claimFolder(dataDir: string): Promise<() => Promise<void>> {
  try {
    mkdirSync(dataDir, { recursive: true });
    accessSync(dataDir, constants.W_OK);
  } catch (error) {
    throw new Error(`The data folder ${dataDir} cannot be written: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return lockFolder(dataDir);
}
