import { writeFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { builtAt } from "./bin/built-at.js";

const here = fileURLToPath(new URL(".", import.meta.url));

/** What every process loads. The rest stays where npm put it, and is loaded by the commands and roles that need it. */
const BUNDLED = [
  /^@sluice\//,
  "commander",
  "consul",
  "fastest-levenshtein",
  "papi",
  "picomatch",
  "yaml",
  "zod",
];

/**
 * The built program in a few files instead of some hundred, so that a process starts in half the time (decision 013). It is
 * a copy of `dist` and stands beside it: it must be made again after a build, and until then `bin/sluice.js` runs `dist`.
 */
export default {
  root: here,
  logLevel: "warn",
  publicDir: false,
  // Inside of the bundle siblings are read as they were built, like any other program does.
  resolve: { conditions: ["default"] },
  ssr: { noExternal: BUNDLED, target: "node" },
  plugins: [placesOfTheBuild(), timeOfTheBuild()],
  build: {
    ssr: true,
    target: "node20",
    minify: false,
    outDir: "bundle",
    rollupOptions: {
      input: { sluice: `${here}bin/bundled.js` },
      output: { format: "es", entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" },
      onLog: (level, log, handle) => log.code === "INVALID_ANNOTATION" || handle(level, log),
    },
  },
};

/** A module that looks for files beside itself finds them where it was built. */
function placesOfTheBuild() {
  let outDir = "";
  return {
    name: "places-of-the-build",
    configResolved(config) {
      outDir = config.build.outDir;
    },
    resolveImportMeta(property, { moduleId, chunkId }) {
      if (property !== "url" || !moduleId.startsWith(here)) return undefined;
      const folder = dirname(resolve(here, outDir, chunkId));
      return `new URL(${JSON.stringify(relative(folder, moduleId))}, import.meta.url).href`;
    },
  };
}

/** Notes what the bundle was made of, once all of it is written. */
function timeOfTheBuild() {
  let outDir = "";
  let at = "";
  return {
    name: "time-of-the-build",
    configResolved(config) {
      outDir = config.build.outDir;
    },
    buildStart() {
      at = builtAt(new URL("../", import.meta.url));
    },
    closeBundle(error) {
      if (!error) writeFileSync(resolve(here, outDir, "built-at"), at);
    },
  };
}
