import type { IncomingMessage } from "node:http";
import { type Clock, isJsonObject, type JobId, type Json, jobId, type Random } from "@sluice/core";
import { objectIn, textIn } from "../format/reading.ts";
import type { HintQueue } from "../http/hint-queue.ts";
import { hintStream } from "../http/hint-stream.ts";
import type { SwarmClient } from "./client.ts";

export interface EventOptions {
  readonly client: Pick<SwarmClient, "events">;
  readonly clock: Clock;
  readonly random: Random;
}

/** An event is a few hundred bytes; a line this long is no event. */
const LONGEST_LINE = 1_000_000;

/**
 * Docker's events as hints: a service's name, or undefined after a connection was made, since events before it are lost.
 * Services are told of by any manager, containers only by the node they run on. Reconnects until the signal aborts.
 */
export function watchEvents(options: EventOptions, signal: AbortSignal): AsyncIterable<JobId | undefined> {
  const { client, clock, random } = options;
  return hintStream(
    { clock, random, open: (_turn, until) => client.events(until), read: readStream },
    signal,
  );
}

async function readStream(stream: IncomingMessage, hints: HintQueue, signal: AbortSignal): Promise<void> {
  const cut = () => stream.destroy();
  signal.addEventListener("abort", cut, { once: true });
  try {
    let rest = "";
    stream.setEncoding("utf8");
    for await (const part of stream) {
      const lines = (rest + part).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LONGEST_LINE) throw new Error("no line ends");
      for (const line of lines) if (line !== "") for (const hint of hintsOf(line)) hints.add(hint);
    }
  } finally {
    signal.removeEventListener("abort", cut);
    stream.destroy();
  }
}

/** The service an event is about; undefined, for "any", where it does not say; none where it is about other containers. */
export function hintsOf(line: string): readonly (JobId | undefined)[] {
  const event = parsed(line);
  if (!isJsonObject(event)) return [undefined];
  const attributes = objectIn(objectIn(event.Actor)?.Attributes);
  const ofContainer = event.Type === "container";
  const name = textIn(attributes?.[ofContainer ? "com.docker.swarm.service.name" : "name"]);
  if (name === undefined) return ofContainer ? [] : [undefined];
  return [jobId(name)];
}

function parsed(line: string): Json | undefined {
  try {
    return JSON.parse(line) as Json;
  } catch {
    return undefined;
  }
}
