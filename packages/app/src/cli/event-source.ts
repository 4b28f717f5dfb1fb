import { backoffMs, isSluiceError, systemClock } from "@sluice/core";
import type { EngineClient } from "./client.ts";

/** One message of a server's event stream. */
export interface ServerMessage {
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** A stream that says nothing for so long is taken for dead: the server gives signs of life more often. */
const SILENT_MS = 45_000;
const BACKOFF = { firstMs: 250, mostMs: 10_000 };

export interface EventSourceOptions {
  readonly client: EngineClient;
  readonly path: string;
  /** From where on, as an id of this server. */
  readonly after: string;
  /** Told when the connection was lost, and when it is there again. */
  readonly onConnection?: (up: boolean) => void;
}

/**
 * The messages of a stream, each once: after a lost connection it goes on behind the last one that was received. Ends when the
 * signal aborts. @throws what the server says for good, such as NOT_FOUND.
 */
export async function* serverMessages(
  { client, path, after, onConnection }: EventSourceOptions,
  signal: AbortSignal,
): AsyncIterable<ServerMessage> {
  let last = after;
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      for await (const message of messagesOf(client, `${path}&after=${encodeURIComponent(last)}`, signal)) {
        if (failures > 0) onConnection?.(true);
        failures = 0;
        if (message === "alive") continue;
        last = message.id;
        yield message;
      }
    } catch (error) {
      if (isSluiceError(error) && !isSluiceError(error, "SERVER_UNREACHABLE", "KV_UNREACHABLE")) throw error;
    }
    if (signal.aborted) return;
    if (failures === 0) onConnection?.(false);
    await systemClock.sleep(backoffMs(failures, BACKOFF, Math.random), signal);
  }
}

async function* messagesOf(
  client: EngineClient,
  path: string,
  signal: AbortSignal,
): AsyncIterable<ServerMessage | "alive"> {
  const silent = new AbortController();
  const body = await client.stream(path, AbortSignal.any([signal, silent.signal]));
  const decoder = new TextDecoder();
  let rest = "";
  let timer = setTimeout(() => silent.abort(), SILENT_MS);
  try {
    for await (const chunk of body) {
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), SILENT_MS);
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) yield parseMessage(block);
    }
  } finally {
    clearTimeout(timer);
  }
}

function parseMessage(block: string): ServerMessage | "alive" {
  const fields = new Map(
    block.split("\n").map((line) => {
      const cut = line.indexOf(":");
      return [line.slice(0, cut), line.slice(cut + 1).replace(/^ /, "")] as const;
    }),
  );
  const data = fields.get("data");
  if (data === undefined) return "alive";
  return { id: fields.get("id") ?? "", type: fields.get("event") ?? "message", data };
}
