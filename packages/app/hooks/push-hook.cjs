// What a deploy repo's hooks run: `push-hook.cjs pre-receive|post-receive SERVER [--offline=accept|refuse] [--token-file=F] [--repository=R]`.
// Plain CommonJS that loads next to nothing: its start-up time is part of every push.
"use strict";
const { readFileSync } = require("node:fs");

const [hook, server, ...flags] = process.argv.slice(2);
const flag = (name) => flags.find((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3);
const zero = /^0+$/;

/** How long a push waits for the engine's judgement, and how long it follows a deployment, in milliseconds. */
const REVIEW_MS = 30_000;
const FOLLOW_MS = 10 * 60_000;

const updates = readFileSync(0, "utf8")
  .split("\n")
  .filter(Boolean)
  .map((line) => {
    const [from, to, ref] = line.split(" ");
    return { ref, from: zero.test(from) ? null : from, to: zero.test(to) ? null : to };
  });
const { GIT_QUARANTINE_PATH, GIT_OBJECT_DIRECTORY, GIT_ALTERNATE_OBJECT_DIRECTORIES } = process.env;
const body = {
  repository: flag("repository") ?? process.cwd(),
  updates,
  ...(GIT_QUARANTINE_PATH
    ? {
        quarantine: {
          objectDirectory: GIT_OBJECT_DIRECTORY,
          alternates: GIT_ALTERNATE_OBJECT_DIRECTORIES ?? "",
        },
      }
    : {}),
};

/** Sends the push to the engine and prints each line it answers as it comes. Resolves with the engine's verdict. */
function ask(path, deadline) {
  return new Promise((resolve, reject) => {
    const url = new URL(path, server);
    const client = require(url.protocol === "https:" ? "node:https" : "node:http");
    const tokenFile = flag("token-file");
    const headers = {
      "content-type": "application/json",
      ...(tokenFile ? { authorization: `Bearer ${readFileSync(tokenFile, "utf8").trim()}` } : {}),
    };
    const call = client.request(url, { method: "POST", headers, timeout: deadline }, (answer) => {
      let rest = "";
      let verdict = answer.statusCode === 200 ? undefined : `the engine answered ${answer.statusCode}`;
      answer.setEncoding("utf8");
      answer.on("data", (chunk) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line) verdict = show(line) ?? verdict;
      });
      answer.on("end", () => {
        if (rest.startsWith("{")) show(rest);
        resolve(verdict);
      });
      answer.on("error", reject);
    });
    call.on("timeout", () => call.destroy(new Error(`no answer within ${deadline / 1000} s`)));
    call.on("error", reject);
    call.end(JSON.stringify(body));
  });
}

function show(line) {
  const { text, end, message } = JSON.parse(line);
  if (typeof text === "string") console.log(text);
  if (typeof message === "string" && !text) console.log(`✗ ${message}`);
  return end;
}

async function review() {
  try {
    const verdict = await ask("/hooks/git/review", REVIEW_MS);
    process.exitCode = verdict === "accepted" ? 0 : 1;
    if (verdict === undefined)
      console.log("✗ the engine broke off; the push is refused, nothing was changed");
    else if (!["accepted", "refused"].includes(verdict))
      console.log(`✗ ${verdict}; the push is refused, nothing was changed`);
  } catch (error) {
    const nobody = `no Sluice engine answers at ${server} (${error.message})`;
    if (flag("offline") === "refuse") {
      console.log(`✗ ${nobody}; the push is refused, nothing was changed`);
      process.exitCode = 1;
    } else console.log(`◎ ${nobody}; the push is taken unchecked and deployed when one runs`);
  }
}

async function follow() {
  // A commit made by Sluice itself: nobody is there to read.
  if (process.env.SLUICE_FOLLOW === "no") return;
  process.stdout.on("error", () => process.exit(0));
  await ask("/hooks/git/follow", FOLLOW_MS).catch((error) =>
    console.log(`◎ cannot follow the deployment: ${error.message}; see \`sluice status\``),
  );
}

void (hook === "pre-receive" ? review() : follow());
