import type { IncomingMessage } from "node:http";
import { Refusal } from "../refusal.ts";

/** Largest body taken, in bytes. */
const LIMIT = 64 * 1024 * 1024;

/** The JSON of a request, with Marathon's answers to what is none. @throws Refusal 415, 413, 400. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const type = request.headers["content-type"];
  if (type !== undefined && !/^application\/(\S+\+)?json\b/i.test(type.trim()))
    throw new Refusal(415, { message: "Unsupported Media Type" });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LIMIT) throw new Refusal(413, { message: "Request Entity Too Large" });
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  if (text.trim() === "")
    throw new Refusal(400, {
      message: "Please specify data in JSON format",
      details: 'No content to map due to end-of-input\n at [Source: (String)""; line: 1, column: 0]',
    });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal(400, { message: "Invalid JSON", details: (error as Error).message });
  }
}
