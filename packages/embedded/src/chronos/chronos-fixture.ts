import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedChronos, type EmbeddedChronosOptions, embeddedChronos } from "./embedded-chronos.ts";

export interface Answer {
  status: number;
  text: string;
  /** The body as JSON, undefined when it is none. */
  json: unknown;
  type: string | null;
}

/** Servers and folders of one test file; `clean` stops and removes them all. */
export interface ChronosFixture {
  folder(): Promise<string>;
  start(options?: Partial<EmbeddedChronosOptions>): Promise<EmbeddedChronos>;
  clean(): Promise<void>;
}

export function chronosFixture(): ChronosFixture {
  const folders: string[] = [];
  const servers: EmbeddedChronos[] = [];

  async function folder(): Promise<string> {
    const made = await mkdtemp(join(tmpdir(), "embedded-chronos-"));
    folders.push(made);
    return made;
  }

  return {
    folder,
    async start(options = {}) {
      const one = await embeddedChronos({ dataDir: options.dataDir ?? (await folder()), ...options });
      servers.push(one);
      return one;
    },
    async clean() {
      // A server may have been stopped by its test.
      await Promise.allSettled(servers.splice(0).map((one) => one.stop()));
      await Promise.all(folders.splice(0).map((one) => rm(one, { recursive: true, force: true })));
    },
  };
}

/** Sends a request; a body goes as JSON. */
export async function send(chronos: EmbeddedChronos, request: string, body?: unknown): Promise<Answer> {
  const [method = "GET", path = "/"] = request.split(" ");
  const response = await fetch(`${chronos.address}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await response.text();
  return { status: response.status, text, json: parsed(text), type: response.headers.get("content-type") };
}

/** Resolves with the first value that passes, asking every few milliseconds. @throws after ten seconds. */
export async function eventually<T>(read: () => Promise<T>, passes: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const value = await read();
    if (passes(value)) return value;
    if (Date.now() > deadline) throw new Error(`Not reached in 10 s; last seen: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The jobs GET shows, by name. */
export async function jobsOf(
  chronos: EmbeddedChronos,
  prefix = "/v1/scheduler",
): Promise<Record<string, Record<string, unknown>>> {
  const { json } = await send(chronos, `GET ${prefix}/jobs`);
  return Object.fromEntries((json as { name: string }[]).map((job) => [job.name, job]));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
