"use strict";
const { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { dirname } = require("node:path");
const { Script } = require("node:vm");

/** By then a command has done its work, or an engine has started: what was compiled until then is worth keeping. */
const KEPT_AFTER_MS = 5_000;

/**
 * Loads a file that is one function of (exports, require, module, __filename, __dirname), with V8's code of it where that was
 * kept by an earlier process; else it keeps its own for the next one. V8 refuses what another version of it made.
 * @param {string} file
 * @param {string} cache where the code is kept. Where that cannot be written, it is not.
 */
exports.requireCompiled = function requireCompiled(file, cache) {
  const cachedData = readIfThere(cache);
  const script = new Script(readFileSync(file, "latin1"), {
    filename: file,
    ...(cachedData && { cachedData }),
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
  if (!cachedData || script.cachedDataRejected) keepOnce(() => keep(cache, script.createCachedData()));
  return module.exports;
};

function readIfThere(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

function keepOnce(work) {
  const once = () => {
    clearTimeout(timer);
    process.off("exit", once);
    work();
  };
  const timer = setTimeout(once, KEPT_AFTER_MS);
  timer.unref();
  process.on("exit", once);
}

/** Another process never sees half of it. */
function keep(cache, bytes) {
  const half = `${cache}.${process.pid}`;
  try {
    mkdirSync(dirname(cache), { recursive: true });
    writeFileSync(half, bytes);
    renameSync(half, cache);
  } catch {
    rmSync(half, { force: true });
  }
}
