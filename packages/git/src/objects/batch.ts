import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { type Clock, type ErrorCode, type ObjectId, redact, SluiceError } from "@sluice/core";
import { type BatchAnswer, batchOutput } from "./batch-output.ts";
import type { CatFileOptions } from "./cat-file.ts";
import type { MeasuredSizes } from "./measured-sizes.ts";
import { DamagedObject, type GitObject, missingObject, type ObjectSize, tooLarge } from "./object-reader.ts";

/** One child process `git cat-file`, which answers in the order asked. */
export interface Batch {
  ask(question: Question): void;
  end(): void;
}

export type Question = Unanswered &
  (
    | { readonly want: "content"; readonly resolve: (object: GitObject) => void }
    /** Only of a git that knows `--batch-command`. */
    | { readonly want: "size"; readonly resolve: (size: ObjectSize) => void }
  );

interface Unanswered {
  readonly oid: ObjectId;
  readonly reject: (error: unknown) => void;
}

/** The child ended before it answered. */
export class BatchEnded extends SluiceError {}

/** A question as it lies with the child: it asks for the size first where it can. */
interface Asked {
  readonly question: Question;
  readonly sizeOnly: boolean;
}

export interface BatchOptions extends CatFileOptions {
  readonly measured: MeasuredSizes;
}

export function startBatch(options: BatchOptions, gitDir: string, ended: () => void): Batch {
  const { asksSizes, largestBytes, measured } = options;
  const child = spawnCatFile(options, gitDir);
  const waiting: Asked[] = [];
  const stop = new AbortController();
  const said = endOfStderr(child);
  const post = gathered((lines) => child.stdin.write(asksSizes ? `${lines}flush\n` : lines, "latin1"));
  let heard = 0;

  function finish(why: string, code: ErrorCode = "GIT_FAILED", damaged = false) {
    if (stop.signal.aborted) return;
    stop.abort();
    ended();
    child.kill("SIGKILL");
    const words = redact(`git cat-file ${why}${said()}`);
    // Git gives up over the object it was asked for; the others only have to be asked again.
    const culprit = damaged ? waiting.shift()?.question : undefined;
    culprit?.reject(new DamagedObject(code, `the object ${culprit.oid} cannot be read: ${words}`));
    for (const { question } of waiting.splice(0)) question.reject(new BatchEnded(code, words));
  }
  function send(question: Question, sizeOnly: boolean) {
    waiting.push({ question, sizeOnly });
    const command = asksSizes ? (sizeOnly ? "info " : "contents ") : "";
    post(`${command}${question.oid}\n`);
  }
  function answer(one: BatchAnswer) {
    const question = waiting.shift()?.question;
    const fits = one.kind === "info" && one.size <= largestBytes(one.type);
    if (question?.want === "content" && fits) send(question, false);
    else if (question) settle(question, one);
    if (question?.want === "size" && fits) measured.add(question.oid, { type: one.type, size: one.size });
    if (one.kind === "broken") finish("gave an answer that cannot be read");
  }
  const take = batchOutput({ largestBytes, headerOnly: () => waiting[0]?.sizeOnly ?? false, answer });
  child.stdout.on("data", (chunk: Buffer) => {
    heard += chunk.length;
    take(chunk);
  });
  listenForEnd(child, finish);
  const watch = silenceWatch(options, { owed: () => waiting.length > 0, heard: () => heard }, stop.signal);

  return {
    ask(question) {
      if (stop.signal.aborted) return question.reject(new BatchEnded("GIT_FAILED", "git cat-file ended"));
      send(question, asksSizes && !(question.want === "content" && measured.forget(question.oid)));
      watch(() => finish(`was silent for ${options.timeoutMs} ms`));
    },
    end: () => finish("was ended"),
  };
}

function spawnCatFile(
  { git, asksSizes, env }: CatFileOptions,
  gitDir: string,
): ChildProcessWithoutNullStreams {
  // The operator named this repository, so git need not ask whether its files belong to the user who runs us.
  const global = ["-c", "safe.directory=*", "--no-replace-objects", `--git-dir=${gitDir}`];
  // Buffered, git answers a whole lot of questions at once; otherwise it writes, and we read, each answer on its own.
  const how = asksSizes ? ["--batch-command", "--buffer"] : ["--batch"];
  return spawn(git, [...global, "cat-file", ...how], { env, stdio: "pipe" });
}

/** Passes on as one text what is posted at one time: a write for each question would cost more than its answer. */
function gathered(write: (text: string) => void): (text: string) => void {
  let text = "";
  return (more) => {
    if (text === "")
      process.nextTick(() => {
        const all = text;
        text = "";
        write(all);
      });
    text += more;
  };
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

function settle(question: Question, answer: BatchAnswer): void {
  const { oid, reject } = question;
  if (answer.kind === "object" && question.want === "content") question.resolve(answer.object);
  else if (answer.kind === "info" && question.want === "size") question.resolve(answer);
  else if (answer.kind === "missing") reject(missingObject(oid));
  else if (answer.kind === "broken")
    reject(new SluiceError("GIT_FAILED", `git cat-file answered "${answer.line.slice(0, 200)}"`));
  else if (answer.kind !== "object") reject(tooLarge(oid, answer.size));
}
