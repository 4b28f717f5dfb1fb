import { StringDecoder } from "node:string_decoder";
import type Docker from "dockerode";
import type { EngineHint } from "../container.ts";

/** What may change the services of a container; `exec_*` of every HEALTHCHECK is left out. */
export const EVENTS: NonNullable<Exclude<Docker.GetEventsOptions["filters"], string>> = {
  type: ["container", "network"],
  event: [
    "start",
    "die",
    "kill",
    "destroy",
    "pause",
    "unpause",
    "rename",
    "update",
    "health_status",
    "connect",
    "disconnect",
  ],
};

/** An event holds the labels of its container. */
const LONGEST_LINE = 1024 * 1024;

/** SIGINT, SIGQUIT, SIGTERM and the one systemd is stopped with: what images name as their STOPSIGNAL. */
const STOP_SIGNALS = new Set(["2", "3", "15", "37"]);

/**
 * Reads the stream piece by piece: one JSON object a line, each as it happens. What a piece cuts in two tells what it has to tell
 * with the next one, and is a hint all the same.
 */
export function hintReader(): (piece: Uint8Array | string) => readonly EngineHint[] {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  return (piece) => {
    const text = rest + (typeof piece === "string" ? piece : decoder.write(Buffer.from(piece)));
    const end = text.lastIndexOf("\n") + 1;
    rest = text.slice(end).slice(-LONGEST_LINE);
    return hintsOf(text.slice(0, end));
  };
}

function hintsOf(text: string): readonly EngineHint[] {
  const hints = text.split("\n").map(hintOf);
  const telling = hints.filter((hint) => Object.keys(hint).length > 0);
  return telling.length > 0 ? telling : [{}];
}

function hintOf(line: string): EngineHint {
  try {
    const { Type, Action, Actor } = JSON.parse(line) as {
      Type?: string;
      Action?: string;
      Actor?: { ID?: string; Attributes?: { signal?: string } };
    };
    if (Type !== "container" || !Actor?.ID) return {};
    if (Action === "start") return { started: Actor.ID };
    const stops = Action === "kill" && STOP_SIGNALS.has(Actor.Attributes?.signal ?? "");
    return stops ? { stopping: Actor.ID } : {};
  } catch {
    return {};
  }
}
