"use strict";
const { readdirSync, statSync } = require("node:fs");
const { join } = require("node:path");

/**
 * When something was built last, in any package, as a text that is another after each build.
 * @param {string} packages the folder of all packages.
 * @returns {string}
 */
exports.builtAt = function builtAt(packages) {
  const times = readdirSync(packages).map((name) => {
    const record = join(packages, name, "dist", ".tsbuildinfo");
    return statSync(record, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  });
  return String(Math.max(0, ...times));
};
