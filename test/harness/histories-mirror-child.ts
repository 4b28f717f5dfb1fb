import { runMirror } from "./histories-mirror.ts";

/** A mirror in a process of its own. Starts when it reads a line with its options, and ends only when it is killed. */
process.stdin.once("data", (line: Buffer) => {
  void runMirror(JSON.parse(line.toString())).then(() => process.stdout.write("running\n"));
});
