import { Writable } from "node:stream";
import type { EventSink, SluiceEvent } from "@sluice/core";
import type { DestinationStream } from "pino";
import { eventLines } from "../text/events.ts";

export type LogFormat = "text" | "json" | "none";

/** A sink that tells what happens: lines for people, or one JSON object a line for machines. */
export async function logSink(format: LogFormat, out: NodeJS.WritableStream): Promise<EventSink> {
  if (format === "none") return { emit: () => undefined };
  const together = writtenTogether(out);
  if (format === "json") {
    const { pino } = await import("pino");
    const logger = pino(
      { base: null, timestamp: false, messageKey: "text" },
      out as DestinationStream & NodeJS.WritableStream,
    );
    return {
      emit(event) {
        const lines = eventLines(event);
        // Thousands of jobs take several turns each: the log has those that say something, `/events` has them all.
        if (lines.length === 0 && event.type.startsWith("job.")) return;
        together();
        logger[isBad(event) ? "warn" : "info"](compact(event), lines.join("\n"));
      },
    };
  }
  return {
    emit(event) {
      together();
      for (const line of eventLines(event))
        out.write(`${event.at.slice(11, 19)} ${event.environment} ${line}\n`);
    },
  };
}

/** A pipe is written to at once and costs a system call each time: what is written in one turn goes together. */
function writtenTogether(out: NodeJS.WritableStream): () => void {
  let corked = false;
  return () => {
    if (corked || !(out instanceof Writable)) return;
    corked = true;
    out.cork();
    process.nextTick(() => {
      corked = false;
      out.uncork();
    });
  };
}

/** What a job was before is the line before. */
function compact(event: SluiceEvent): object {
  if (event.type !== "job.changed") return event;
  const { previous: _, ...now } = event;
  return now;
}

function isBad(event: SluiceEvent): boolean {
  return (
    /\.(failed|refused|lost)$/.test(event.type) ||
    (event.type === "job.changed" && event.status.health === "Degraded")
  );
}
