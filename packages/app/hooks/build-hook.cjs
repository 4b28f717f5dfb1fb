// What an app repo's post-receive runs: `build-hook.cjs SERVER --app=NAME [--token-file=F] [--repository=R]`.
// It tells the engine of the push within a second. Where no engine answers, the push is written down beside the repository
// and told later, by a process of its own and by the next push: no push waits for a CI, and none is forgotten.
"use strict";
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const { join } = require("node:path");

let [server, ...flags] = process.argv.slice(2);
const flag = (name) => flags.find((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3);
const deliverOnly = flags.includes("--deliver");
const spool = join(process.cwd(), "sluice-builds");
const busy = join(spool, "delivering");
/** What the hook was last installed with: a process that delivers for hours follows it. */
const settings = join(spool, "settings");

/** How long a push waits, how long the delivering process waits for one answer, and how long it goes on, in milliseconds. */
const PUSH_MS = 900;
const ANSWER_MS = 15_000;
const GIVE_UP_MS = 24 * 60 * 60_000;
/** A process that delivers shows so often that it lives; silent for longer, it is taken for dead. */
const ALIVE_MS = 5_000;
const DEAD_MS = 60_000;
/** Answers after which asking again is of no use. */
const REFUSED = new Set([400, 404, 413, 422]);

/** Sends one push. Resolves with the engine's lines; rejects with `refused` set where it will never be taken. */
function tell(body, deadline) {
  return new Promise((resolve, reject) => {
    const url = new URL("/hooks/build", server);
    const client = require(url.protocol === "https:" ? "node:https" : "node:http");
    const tokenFile = flag("token-file");
    const headers = {
      "content-type": "application/json",
      ...(tokenFile ? { authorization: `Bearer ${fs.readFileSync(tokenFile, "utf8").trim()}` } : {}),
    };
    const call = client.request(url, { method: "POST", headers }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        clearTimeout(timer);
        let said = {};
        try {
          said = JSON.parse(Buffer.concat(chunks).toString("utf8"));
        } catch {}
        if (answer.statusCode === 200) return resolve(Array.isArray(said.lines) ? said.lines : []);
        const words = said.message ?? `the engine answered ${answer.statusCode}`;
        reject(Object.assign(new Error(words), { refused: REFUSED.has(answer.statusCode) }));
      });
    });
    const timer = setTimeout(
      () => call.destroy(new Error(`no answer within ${deadline / 1000} s`)),
      deadline,
    );
    call.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    call.end(body);
  });
}

function waiting() {
  try {
    return fs
      .readdirSync(spool)
      .filter((name) => name.endsWith(".json"))
      .sort();
  } catch {
    return [];
  }
}

/** Written whole or not at all. */
function keep(body) {
  fs.mkdirSync(spool, { recursive: true });
  const name = `${Date.now()}-${process.pid}.json`;
  fs.writeFileSync(join(spool, `${name}.new`), body, { mode: 0o600 });
  fs.renameSync(join(spool, `${name}.new`), join(spool, name));
}

/** Goes on after the push is over. */
function deliverLater() {
  fs.writeFileSync(settings, JSON.stringify([server, ...flags]));
  spawn(process.execPath, [__filename, server, ...flags, "--deliver"], {
    cwd: process.cwd(),
    detached: true,
    stdio: "ignore",
  }).unref();
}

/** One process at a time delivers; a lock left by one that died is taken over. */
function claim() {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      fs.writeFileSync(busy, String(process.pid), { flag: "wx" });
      return true;
    } catch {
      try {
        process.kill(Number(fs.readFileSync(busy, "utf8")), 0);
        if (Date.now() - fs.statSync(busy).mtimeMs < DEAD_MS) return false;
        fs.rmSync(busy, { force: true });
      } catch (error) {
        if (error.code === "EPERM") return false;
        fs.rmSync(busy, { force: true });
      }
    }
  }
  return false;
}

async function deliver() {
  if (!claim()) return;
  setInterval(() => fs.utimesSync(busy, new Date(), new Date()), ALIVE_MS).unref();
  const until = Date.now() + GIVE_UP_MS;
  let pause = 1_000;
  for (let [name] = waiting(); name !== undefined && Date.now() < until; [name] = waiting()) {
    const file = join(spool, name);
    try {
      [server, ...flags] = JSON.parse(fs.readFileSync(settings, "utf8"));
      await tell(fs.readFileSync(file), ANSWER_MS);
      fs.rmSync(file);
      pause = 1_000;
    } catch (error) {
      if (error.refused) fs.renameSync(file, `${file}.refused`);
      else {
        await new Promise((resolve) => setTimeout(resolve, pause / 2 + (Math.random() * pause) / 2));
        pause = Math.min(pause * 2, 60_000);
      }
    }
  }
  if (waiting().length === 0) fs.rmSync(settings, { force: true });
  fs.rmSync(busy, { force: true });
}

async function pushed() {
  const zero = /^0+$/;
  const updates = fs
    .readFileSync(0, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [from, to, ref] = line.split(" ");
      return { ref, from: zero.test(from) ? null : from, to: zero.test(to) ? null : to };
    });
  const body = JSON.stringify({ app: flag("app"), repository: flag("repository") ?? process.cwd(), updates });
  try {
    for (const line of await tell(body, PUSH_MS)) console.log(line);
  } catch (error) {
    if (error.refused) return console.log(`✗ no build is begun: ${error.message}`);
    try {
      keep(body);
      console.log(
        `◎ no Sluice engine takes the build now (${error.message}); it is begun as soon as one does`,
      );
    } catch (problem) {
      console.log(`✗ no build is begun, and it could not be written down: ${problem.message}`);
    }
  }
  if (waiting().length > 0) deliverLater();
}

void (deliverOnly
  ? deliver()
  : pushed().catch((error) => console.log(`✗ no build is begun: ${error.message}`)));
