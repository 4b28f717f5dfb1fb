import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { linkedAbort } from "../../process/linked-abort.ts";
import type { ProbeResult } from "./health.ts";

/** Longest body that a readiness check keeps, in bytes. */
const KEPT_BODY = 4096;

export interface HttpProbe {
  secure: boolean;
  host: string;
  port: number;
  path: string;
  timeoutMs: number;
}

export interface HttpAnswer {
  status: number;
  contentType: string;
  body: string;
}

/** Asks by GET, following no redirect and trusting any certificate, as Marathon does. @throws when no answer comes in time. */
export async function ask(probe: HttpProbe, signal: AbortSignal): Promise<HttpAnswer> {
  const limit = linkedAbort([signal], Math.max(1, probe.timeoutMs));
  try {
    return await get(probe, limit.signal);
  } catch (error) {
    throw limit.signal.aborted ? new Error("no answer in time") : error;
  } finally {
    limit.release();
  }
}

function get(probe: HttpProbe, signal: AbortSignal): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const send = probe.secure ? httpsRequest : httpRequest;
    const path = probe.path.startsWith("/") ? probe.path : `/${probe.path}`;
    const options = { host: probe.host, port: probe.port, path, signal, agent: false as const };
    const request = send({ ...options, rejectUnauthorized: false }, (response) => {
      const { statusCode: status = 0, headers } = response;
      const contentType = headers["content-type"] ?? "";
      readSome(response).then((body) => resolve({ status, contentType, body }), reject);
    });
    request.on("error", reject);
    request.end();
  });
}

/** An HTTP health check: 200 to 399 is healthy. */
export async function probeHttp(probe: HttpProbe, signal: AbortSignal): Promise<ProbeResult> {
  try {
    const { status } = await ask(probe, signal);
    if (status >= 200 && status < 400) return { ok: true };
    return { ok: false, cause: `HTTP status ${status}` };
  } catch (error) {
    return { ok: false, cause: (error as Error).message };
  }
}

/** A TCP health check: a connection is healthy. */
export function probeTcp(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (result: ProbeResult) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(Math.max(1, timeoutMs), () => end({ ok: false, cause: "no answer in time" }));
    socket.once("connect", () => end({ ok: true }));
    socket.once("error", (error) => end({ ok: false, cause: error.message }));
  });
}

async function readSome(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (size < KEPT_BODY) chunks.push(chunk);
    size += chunk.length;
  }
  return Buffer.concat(chunks).subarray(0, KEPT_BODY).toString("utf8");
}
