import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { type Clock, isJsonObject, type JobId, type Json, jobId, type Random } from "@sluice/core";
import { createParser } from "eventsource-parser";
import { objectIn, objectsIn, textIn } from "../format/reading.ts";
import type { HintQueue } from "../http/hint-queue.ts";
import { hintStream } from "../http/hint-stream.ts";
import { authorization, baseAddresses, type HttpOptions } from "../http/options.ts";

export interface EventOptions extends HttpOptions {
  readonly clock: Clock;
  readonly random: Random;
}

/** One event of every kind of turn: what else is told of the same, step by step and with whole specs, is not asked for. */
const TYPES = [
  ...["deployment_success", "deployment_failed", "instance_changed_event", "app_terminated_event"],
  ...["instance_health_changed_event", "health_status_changed_event", "unhealthy_instance_kill_event"],
];
/** 1.6 puts whole groups into every event of a deployment unless told not to; later ones never do. */
const QUERY = [...TYPES.map((type) => `event_type=${type}`), "plan-format=light"].join("&");
const CONNECT_MS = 30_000;
/** Marathon sends a heartbeat every ten seconds or so; a stream this silent is taken for dead. */
const SILENCE_MS = 120_000;
/** Up to 1.5 an event of a deployment holds whole groups, in one line. One beyond this ends the stream; another is opened. */
const MOST_CHARACTERS = 16 * 1024 * 1024;

/**
 * Marathon's event stream as hints: an app's id, or undefined after a connection was made, since events before it are lost
 * (reference 1.2, SSE). Reconnects until the signal aborts.
 */
export function watchEvents(options: EventOptions, signal: AbortSignal): AsyncIterable<JobId | undefined> {
  const { clock, random } = options;
  const addresses = baseAddresses(options);
  const open = (turn: number, until: AbortSignal) =>
    connect(new URL(`${addresses[turn % addresses.length]}/v2/events?${QUERY}`), options, until);
  return hintStream({ clock, random, open, read: readStream }, signal);
}

/** Follows one redirection to the leader. Credentials go only to configured addresses. */
async function connect(url: URL, options: EventOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const first = await open(url, options, signal);
  const location = first.headers.location;
  if (first.statusCode === 200) return first;
  first.destroy();
  if (first.statusCode === undefined || first.statusCode < 300 || first.statusCode > 399 || !location)
    throw new Error(`status ${first.statusCode}`);
  const second = await open(new URL(location, url), options, signal);
  if (second.statusCode === 200) return second;
  second.destroy();
  throw new Error(`status ${second.statusCode}`);
}

function open(url: URL, options: EventOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const known = baseAddresses(options).some((address) => new URL(address).origin === url.origin);
  const header = known ? authorization(options) : undefined;
  const settings: RequestOptions & { ca?: string; cert?: string; key?: string } = {
    agent: false,
    signal,
    timeout: CONNECT_MS,
    headers: { Accept: "text/event-stream", ...(header === undefined ? {} : { Authorization: header }) },
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.cert === undefined || !known ? {} : { cert: options.cert }),
    ...(options.key === undefined || !known ? {} : { key: options.key }),
  };
  return new Promise((resolve, reject) => {
    const request = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, settings, resolve);
    request.on("timeout", () => request.destroy(new Error("no answer in time")));
    request.on("error", reject);
    request.end();
  });
}

async function readStream(stream: IncomingMessage, hints: HintQueue): Promise<void> {
  const parser = createParser({
    onEvent: ({ data }) => {
      for (const hint of hintsOf(data)) hints.add(hint);
    },
    maxBufferSize: MOST_CHARACTERS,
  });
  stream.setEncoding("utf8");
  stream.setTimeout(SILENCE_MS, () => stream.destroy());
  // Leaving the loop closes the stream. Fed beyond its bound, the parser throws at the next part.
  for await (const part of stream) parser.feed(part as string);
}

/** The apps and pods an event is about; undefined, for "any", where it does not say. */
export function hintsOf(data: string): readonly (JobId | undefined)[] {
  const event = parsed(data);
  if (!isJsonObject(event)) return [undefined];
  const named = textIn(event.appId) ?? textIn(event.runSpecId) ?? textIn(objectIn(event.appDefinition)?.id);
  if (named !== undefined) return [jobId(named)];
  const plan = objectIn(event.plan);
  const actions = objectsIn(plan?.steps).flatMap(([, step]) => objectsIn(step.actions));
  const jobs = actions.flatMap(([, action]) => textIn(action.app) ?? textIn(action.pod) ?? []);
  return jobs.length > 0 ? [...new Set(jobs)].map(jobId) : [undefined];
}

function parsed(data: string): Json | undefined {
  try {
    return JSON.parse(data) as Json;
  } catch {
    return undefined;
  }
}
