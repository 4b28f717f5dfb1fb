import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { type Clock, type ErrorCode, type ObjectId, redact, SluiceError } from "@sluice/core";
import { type BatchAnswer, batchOutput } from "./batch-output.ts";
import type { GitObject, ObjectReader } from "./object-reader.ts";

export interface CatFileOptions {
  /** The `git` program. */
  readonly git: string;
  readonly gitDir: () => Promise<string>;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  /** How long git may be silent while an answer is due, in milliseconds. */
  readonly timeoutMs: number;
  readonly largestBytes: number;
}

interface Question {
  readonly oid: ObjectId;
  readonly resolve: (object: GitObject) => void;
  readonly reject: (error: unknown) => void;
}

interface Batch {
  ask(question: Question): void;
  end(): void;
}

/** Objects through one long-lived `git cat-file --batch`, started when first needed and again after it died. */
export function catFileReader(options: CatFileOptions): ObjectReader {
  let batch: Promise<Batch> | undefined;
  let closed = false;

  function running(): Promise<Batch> {
    batch ??= start();
    return batch;
  }
  function start(): Promise<Batch> {
    const forget = () => {
      if (batch === started) batch = undefined;
    };
    const started = options.gitDir().then((gitDir) => startBatch(options, gitDir, forget));
    started.catch(forget);
    return started;
  }
  async function askOnce(oid: ObjectId): Promise<GitObject> {
    if (closed) throw new SluiceError("GIT_FAILED", "the source is closed");
    const to = await running();
    return new Promise((resolve, reject) => to.ask({ oid, resolve, reject }));
  }

  return {
    async read(oid, signal) {
      signal?.throwIfAborted();
      try {
        return await askOnce(oid);
      } catch (error) {
        // A child that was killed from outside answers nothing more; a fresh one may.
        if (!(error instanceof BatchEnded) || closed) throw error;
        signal?.throwIfAborted();
        return askOnce(oid);
      }
    },
    async close() {
      closed = true;
      (await batch?.catch(() => undefined))?.end();
    },
  };
}

class BatchEnded extends SluiceError {}

function startBatch(options: CatFileOptions, gitDir: string, ended: () => void): Batch {
  // The operator named this repository, so git need not ask whether its files belong to the user who runs us.
  const global = ["-c", "safe.directory=*", "--no-replace-objects", `--git-dir=${gitDir}`];
  const child = spawn(options.git, [...global, "cat-file", "--batch"], { env: options.env, stdio: "pipe" });
  const waiting: Question[] = [];
  const stop = new AbortController();
  const said = endOfStderr(child);
  let heard = 0;

  function finish(why: string, code: ErrorCode = "GIT_FAILED") {
    if (stop.signal.aborted) return;
    stop.abort();
    ended();
    child.kill("SIGKILL");
    const error = new BatchEnded(code, redact(`git cat-file ${why}${said()}`));
    for (const question of waiting.splice(0)) question.reject(error);
  }
  const take = batchOutput(options.largestBytes, (answer) => {
    const question = waiting.shift();
    if (question) settle(question, answer);
    if (answer.kind === "broken") finish("gave an answer that cannot be read");
  });
  child.stdout.on("data", (chunk: Buffer) => {
    heard += chunk.length;
    take(chunk);
  });
  listenForEnd(child, finish);
  const watch = silenceWatch(options, { owed: () => waiting.length > 0, heard: () => heard }, stop.signal);

  return {
    ask(question) {
      if (stop.signal.aborted) return question.reject(new BatchEnded("GIT_FAILED", "git cat-file ended"));
      waiting.push(question);
      child.stdin.write(`${question.oid}\n`);
      watch(() => finish(`was silent for ${options.timeoutMs} ms`));
    },
    end: () => finish("was ended"),
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
  { clock, timeoutMs }: CatFileOptions,
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

function listenForEnd(
  child: ChildProcessWithoutNullStreams,
  finish: (why: string, code?: ErrorCode) => void,
): void {
  child.on("error", (error: NodeJS.ErrnoException) =>
    finish(`cannot be run: ${error.message}`, error.code === "ENOENT" ? "GIT_MISSING" : "GIT_FAILED"),
  );
  child.on("close", (code, signal) => finish(`ended (${signal ?? code})`));
  // A write to a child that just died fails here; `close` tells the rest.
  child.stdin.on("error", () => undefined);
}

function settle(question: Question, answer: BatchAnswer): void {
  const { oid, resolve, reject } = question;
  if (answer.kind === "object") resolve(answer.object);
  else if (answer.kind === "missing") reject(missingObject(oid));
  else if (answer.kind === "too-large") reject(tooLarge(oid, answer.size));
  else reject(new SluiceError("GIT_FAILED", `git cat-file answered "${answer.line.slice(0, 200)}"`));
}

export function missingObject(oid: ObjectId): SluiceError {
  return new SluiceError("GIT_OBJECT_MISSING", `the repository has no object ${oid}`);
}

export function tooLarge(oid: ObjectId, size: number): SluiceError {
  return new SluiceError("FILE_TOO_LARGE", `the object ${oid} is ${size} bytes long, too long to be read`);
}
