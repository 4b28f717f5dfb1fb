import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { kvLayout, type RevisionMarker } from "@sluice/core";
import { digestOf } from "./histories-expected.ts";
import { ENVIRONMENT } from "./histories-mirror.ts";

/** A reader as the documents tell people to write one: it follows the marker and believes files only between two equal sights of it. */
export interface WholeReader {
  /** Looks at a `synced` marker with files that counted, so far. */
  checks(): number;
  /** Different revisions among them. */
  revisions(): number;
  /** Looks that did not count because the marker had moved meanwhile, and sights of `applying`. */
  moved(): number;
  applying(): number;
  /** What it saw that no reader may see, in words. */
  readonly mixes: readonly string[];
  stop(): Promise<void>;
}

interface Sight {
  readonly index: string;
  readonly modifyIndex: number;
  readonly marker: RevisionMarker | undefined;
}

/** A revision that was looked at is looked at again after this long without a change, in milliseconds. */
const AGAIN_MS = 25;

export function wholeReader(address: string, prefix: string): WholeReader {
  const layout = kvLayout(prefix, ENVIRONMENT);
  const agent = new Agent({ keepAlive: true });
  const ask = asker(address, agent);
  let stopped = false;
  const mixes: string[] = [];
  const seen = new Set<string>();
  const counts = { checks: 0, moved: 0, applying: 0 };

  async function look(sight: Sight): Promise<void> {
    const { marker } = sight;
    if (marker?.state === "applying") counts.applying += 1;
    if (marker?.state !== "synced") return;
    const files = await listFiles(ask, layout.files);
    const after = await readMarker(ask, layout.revision);
    if (after.modifyIndex !== sight.modifyIndex) {
      counts.moved += 1;
      return;
    }
    counts.checks += 1;
    seen.add(marker.revision);
    if (files.size !== marker.files || digestOf(files) !== marker.digest)
      mixes.push(
        `${marker.revision} says ${marker.files} files and ${marker.digest}; there are ${files.size} others`,
      );
  }
  async function follow(): Promise<void> {
    for (let index: string | undefined; !stopped; ) {
      const sight = await readMarker(ask, layout.revision, index);
      index = sight.index;
      await look(sight);
    }
  }
  const done = follow().catch((error: unknown) => {
    if (!stopped) mixes.push(`the reader failed: ${String(error)}`);
  });
  return {
    checks: () => counts.checks,
    revisions: () => seen.size,
    moved: () => counts.moved,
    applying: () => counts.applying,
    mixes,
    async stop() {
      stopped = true;
      await done;
      agent.destroy();
    },
  };
}

async function readMarker(ask: Ask, key: string, index?: string): Promise<Sight> {
  const waits = index === undefined ? "" : `?index=${index}&wait=${AGAIN_MS}ms`;
  const { status, at, text } = await ask(`${key}${waits}`);
  if (status === 404) return { index: at, modifyIndex: 0, marker: undefined };
  const [row] = JSON.parse(text) as { Value: string; ModifyIndex: number }[];
  const marker = JSON.parse(Buffer.from(row?.Value ?? "", "base64").toString()) as RevisionMarker;
  return { index: at, modifyIndex: row?.ModifyIndex ?? 0, marker };
}

async function listFiles(ask: Ask, prefix: string): Promise<Map<string, Buffer>> {
  const { status, text } = await ask(`${prefix}?recurse`);
  if (status === 404) return new Map();
  const rows = JSON.parse(text) as { Key: string; Value: string | null }[];
  return new Map(
    rows.map(({ Key, Value }) => [Key.slice(prefix.length), Buffer.from(Value ?? "", "base64")]),
  );
}

/** Reads one path below `/v1/kv/`; @throws for any answer but 200 and 404. */
type Ask = (path: string) => Promise<{ status: number; at: string; text: string }>;

function asker(address: string, agent: Agent): Ask {
  return async (path) => {
    const sent = get(`${address}/v1/kv/${path}`, { agent });
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    let text = "";
    for await (const part of answer.setEncoding("utf8")) text += part;
    const { statusCode: status = 0, headers } = answer;
    if (status !== 200 && status !== 404) throw new Error(`${status}: ${text}`);
    return { status, at: String(headers["x-consul-index"] ?? "1"), text };
  };
}
