import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import built from "./bin/built-at.cjs";

const app = fileURLToPath(new URL(".", import.meta.url));

/** Loaded by few commands and roles, or made of more than JavaScript: they stay where npm put them. */
const LEFT_OUT = ["axios", "dockerode", "isomorphic-git", "liquidjs", "lmdb", "luxon", "nodemailer"];

/**
 * Puts the built program into one file, so that a process starts in half the time (decision 020). It is a copy of `dist` and
 * stands beside it: it must be made again after a build, and until then `bin/sluice.cjs` runs `dist`.
 * @param {string} folder where to; what is there is removed.
 */
export async function makeBundle(folder = join(app, "bundle")) {
  const at = built.builtAt(join(app, ".."));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(app, "dist", "cli", "main.js")],
    outfile: join(folder, "sluice.cjs"),
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    // As one function, which needs no loader; and in ASCII, so that a byte is a character.
    banner: { js: "(function (exports, require, module, __filename, __dirname) {" },
    footer: { js: "})" },
    charset: "ascii",
    // A module that is imported by a command is begun when it is asked for, all the same.
    supported: { "dynamic-import": false },
    external: LEFT_OUT,
    plugins: [placesOfTheBuild(folder), englishOnly()],
    legalComments: "none",
    logLevel: "warning",
  });
  // The last file that is written: until it is there, the bundle is not.
  writeFileSync(join(folder, "built-at"), at);
}

/** A module that looks for files beside itself finds them where it was built. */
function placesOfTheBuild(folder) {
  return {
    name: "places-of-the-build",
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]dist[\\/].*\.js$/ }, ({ path }) => {
        const contents = readFileSync(path, "utf8");
        if (!contents.includes("import.meta.url")) return undefined;
        const place = JSON.stringify(relative(folder, path).split(sep).join("/"));
        const url = `require("node:url").pathToFileURL(require("node:path").join(__dirname, ${place})).href`;
        return { contents: contents.replaceAll("import.meta.url", url) };
      });
    },
  };
}

/** Zod brings its messages in sixty languages, and begins all of them. */
function englishOnly() {
  return {
    name: "english-only",
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.c?js$/ }, ({ path }) => ({
        contents: 'export { default as en } from "./en.js";',
        resolveDir: dirname(path),
      }));
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await makeBundle(process.argv[2]);
