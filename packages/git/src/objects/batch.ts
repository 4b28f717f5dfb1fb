import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { type Clock, type ErrorCode, type ObjectId, redact, SluiceError } from "@sluice/core";
import { batchOutput, HEADER_FORMAT } from "./batch-output.ts";
import { DamagedObject, type LargestBytes } from "./object-reader.ts";
import { type Answer, type Question, questions } from "./questions.ts";

/** One child process `git cat-file`, which answers in the order asked. */
export interface Batch {
  /** A list of one at least. Its answers come in the order asked; after one that is `damaged` or `broken` there are none. @throws BatchEnded */
  ask(question: Question): Promise<readonly Answer[]>;
  end(): void;
}

/** The child ended before it answered. */
export class BatchEnded extends SluiceError {}

export interface BatchOptions {
  /** The `git` program. */
  readonly git: string;
  /** What the child is asked for: either of both, in a git since 2.36, or one of them. */
  readonly answers: "both" | Question["want"];
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** How long git may be silent while an answer is due, in milliseconds. */
  readonly timeoutMs: number;
  readonly largestBytes: LargestBytes;
}

export function startBatch(options: BatchOptions, gitDir: string, ended: () => void): Batch {
  const child = spawnCatFile(options, gitDir);
  const asked = questions();
  const stop = new AbortController();
  const said = endOfStderr(child);
  let heard = 0;

  function finish(why: string, code: ErrorCode = "GIT_FAILED", damaged = false) {
    if (stop.signal.aborted) return;
    stop.abort();
    ended();
    child.kill("SIGKILL");
    const words = redact(`git cat-file ${why}${said()}`);
    // Git gives up over the object it was asked for; the others only have to be asked again.
    if (damaged) asked.end((oid) => damagedBy(oid, code, words));
    asked.rejectAll(new BatchEnded(code, words));
  }
  function broken(line: string) {
    asked.end(() => ({ kind: "broken", line }));
    finish("gave an answer that cannot be read");
  }
  const takeApart = batchOutput({ largestBytes: options.largestBytes, ...asked, broken });
  child.stdout.on("data", (chunk: Buffer) => {
    heard += chunk.length;
    if (!stop.signal.aborted) takeApart(chunk);
  });
  listenForEnd(child, finish);
  const watch = silenceWatch(options, { owed: asked.waiting, heard: () => heard }, stop.signal);

  return {
    async ask(question) {
      if (stop.signal.aborted) throw new BatchEnded("GIT_FAILED", "git cat-file ended");
      child.stdin.write(wording(question, options.answers), "latin1");
      const answers = asked.add(question);
      watch(() => finish(`was silent for ${options.timeoutMs} ms`));
      return answers;
    },
    end: () => finish("was ended"),
  };
}

function damagedBy(oid: ObjectId | undefined, code: ErrorCode, words: string): Answer {
  return { kind: "damaged", error: new DamagedObject(code, `the object ${oid} cannot be read: ${words}`) };
}

/** All of a list as one text: a write for each would cost more than its answer. */
function wording({ oids, want }: Question, answers: BatchOptions["answers"]): string {
  if (answers !== "both") return `${oids.join("\n")}\n`;
  const command = want === "size" ? "info " : "contents ";
  return `${command}${oids.join(`\n${command}`)}\nflush\n`;
}

function spawnCatFile({ git, answers, env }: BatchOptions, gitDir: string): ChildProcessWithoutNullStreams {
  // The operator named this repository, so git need not ask whether its files belong to the user who runs us.
  const global = ["-c", "safe.directory=*", "--no-replace-objects", `--git-dir=${gitDir}`];
  const how = { both: "--batch-command", size: "--batch-check", content: "--batch" }[answers];
  // Buffered, git answers a whole list at once; but a git that cannot be told to flush would keep the end of it.
  const buffer = answers === "both" ? ["--buffer"] : [];
  return spawn(git, [...global, "cat-file", `${how}=${HEADER_FORMAT}`, ...buffer], { env, stdio: "pipe" });
}

/** Returns what git complained of last, as the end of a sentence. */
function endOfStderr(child: ChildProcessWithoutNullStreams): () => string {
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString("utf8")).slice(-2000);
  });
  return () => (said === "" ? "" : `: ${said.trim()}`);
}

/** Returns what starts the watch, unless it runs: it ends by itself once no answer is owed. */
function silenceWatch(
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
  child: { readonly owed: () => boolean; readonly heard: () => number },
  signal: AbortSignal,
): (silent: () => void) => void {
  let running = false;

  async function run(silent: () => void) {
    running = true;
    while (child.owed() && !signal.aborted) {
      const before = child.heard();
      await clock.sleep(timeoutMs, signal);
      if (child.owed() && child.heard() === before && !signal.aborted) silent();
    }
    running = false;
  }
  return (silent) => {
    if (!running) void run(silent);
  };
}

/** What git ends with when it cannot go on by its own judgement. */
const FATAL = 128;

function listenForEnd(
  child: ChildProcessWithoutNullStreams,
  finish: (why: string, code?: ErrorCode, damaged?: boolean) => void,
): void {
  child.on("error", (error: NodeJS.ErrnoException) =>
    finish(`cannot be run: ${error.message}`, error.code === "ENOENT" ? "GIT_MISSING" : "GIT_FAILED"),
  );
  child.on("close", (code, signal) => finish(`ended (${signal ?? code})`, "GIT_FAILED", code === FATAL));
  // A write to a child that just died fails here; `close` tells the rest.
  child.stdin.on("error", () => undefined);
}
