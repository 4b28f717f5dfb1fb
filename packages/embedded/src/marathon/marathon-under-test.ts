import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { type EmbeddedMarathon, embeddedMarathon } from "./embedded-marathon.ts";
import type { EmbeddedMarathonOptions } from "./options.ts";

export interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into foreign JSON.
  body: any;
}

export interface MarathonUnderTest {
  server: EmbeddedMarathon;
  dataDir: string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  /** Waits until no deployment runs. */
  settled(): Promise<void>;
  /** Events from now on, as they come. */
  events(query?: string): Promise<{ eventType: string; [field: string]: unknown }[]>;
  /** Stops the server and starts another one on the same folder. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** A server on a folder of its own. Simulated unless told otherwise. */
export async function marathonUnderTest(
  options: Partial<EmbeddedMarathonOptions> = {},
): Promise<MarathonUnderTest> {
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-marathon-"));
  const all: EmbeddedMarathonOptions = {
    dataDir,
    execution: "simulated",
    firstProbeDelayMs: 10,
    stopGraceMs: 200,
    ...options,
  };
  const subject: MarathonUnderTest = {
    dataDir,
    server: await embeddedMarathon(all),
    call: (method, path, body, headers) => call(subject.server.address, method, path, body, headers),
    async settled() {
      await vi.waitFor(async () => expect((await subject.call("GET", "/v2/deployments")).body).toEqual([]), {
        timeout: 10_000,
        interval: 10,
      });
    },
    events: (query = "") => listen(`${subject.server.address}/v2/events${query}`),
    async restart() {
      await subject.server.stop();
      subject.server = await embeddedMarathon(all);
    },
    async close() {
      await subject.server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return subject;
}

function call(
  address: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const length = Buffer.byteLength(text ?? "");
    const type = text === undefined ? {} : { "content-type": "application/json", "content-length": length };
    const sent = request(
      `${address}${path}`,
      { method, headers: { ...type, ...headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const answer = Buffer.concat(chunks).toString("utf8");
          const isJson = response.headers["content-type"]?.includes("json");
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: isJson ? JSON.parse(answer) : answer,
          });
        });
      },
    );
    sent.on("error", reject);
    sent.end(text);
  });
}

function listen(url: string): Promise<{ eventType: string; [field: string]: unknown }[]> {
  const found: { eventType: string }[] = [];
  return new Promise((resolve, reject) => {
    let rest = "";
    const sent = request(url, { headers: { accept: "text/event-stream" }, agent: false }, (response) => {
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        const frames = `${rest}${chunk}`.split("\r\n\r\n");
        rest = frames.pop() ?? "";
        for (const frame of frames) {
          const data = /^data: (.*)$/m.exec(frame)?.[1];
          if (data) found.push(JSON.parse(data));
        }
      });
      response.on("error", () => undefined);
      resolve(found);
    });
    sent.on("error", reject);
    sent.end();
  });
}
