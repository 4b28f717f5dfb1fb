import { readdirSync, statSync } from "node:fs";

/**
 * When something was built last, in any package, as a text that is another after each build.
 * @param {URL} packages the folder of all packages.
 * @returns {string}
 */
export function builtAt(packages) {
  const times = readdirSync(packages).map((name) => {
    const record = new URL(`${name}/dist/.tsbuildinfo`, packages);
    return statSync(record, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  });
  return String(Math.max(0, ...times));
}
