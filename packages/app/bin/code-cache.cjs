"use strict";
const fs = require("node:fs");
const { createRequire } = require("node:module");
const { dirname } = require("node:path");
const { Script } = require("node:vm");

/** By then a command has done its work, or an engine has started: what was compiled until then is worth keeping. */
const KEPT_AFTER_MS = 5_000;

/**
 * Loads a file that is one function of (exports, require, module, __filename, __dirname), with V8's code of it where that was
 * kept by an earlier process; else it keeps its own for the next one. V8 refuses what another version of it made, but of a text it
 * compares nothing but the length: so code is kept for the very file it was made of.
 * @param {string} file
 * @param {string} name where the code is kept, without what tells the file. Where that cannot be written, it is not.
 */
exports.requireCompiled = function requireCompiled(file, name) {
  const { text, writtenAt } = read(file);
  const cache = `${name}-${writtenAt}`;
  const cachedData = readIfThere(cache);
  const script = new Script(text, { filename: file, ...(cachedData && { cachedData }) });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
  if (!cachedData || script.cachedDataRejected) keepOnce(() => keep(cache, script.createCachedData()));
  return module.exports;
};

/** A file's text, and when that very file was written: another one may take its place at any moment. */
function read(file) {
  const open = fs.openSync(file, "r");
  try {
    return { writtenAt: fs.fstatSync(open, { bigint: true }).mtimeNs, text: fs.readFileSync(open, "latin1") };
  } finally {
    fs.closeSync(open);
  }
}

function readIfThere(file) {
  try {
    return fs.readFileSync(file);
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
    fs.mkdirSync(dirname(cache), { recursive: true });
    fs.writeFileSync(half, bytes);
    fs.renameSync(half, cache);
  } catch {
    fs.rmSync(half, { force: true });
  }
}
