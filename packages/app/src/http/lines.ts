import { PassThrough } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";

/**
 * Answers with one JSON object a line, each sent as soon as it is known. The work's signal aborts when the client goes away
 * or the server stops; a failure becomes a last line `{message}`, since the status has long been sent.
 */
export function sendLines(
  request: FastifyRequest,
  reply: FastifyReply,
  stopping: AbortSignal,
  work: (signal: AbortSignal) => AsyncIterable<object>,
): FastifyReply {
  const gone = new AbortController();
  const out = new PassThrough();
  const stop = () => gone.abort();
  // Not AbortSignal.any: on Node 20 it keeps a little of every request for as long as the server lives.
  stopping.addEventListener("abort", stop, { once: true });
  request.raw.socket.once("close", stop);
  const pump = async () => {
    try {
      for await (const line of work(gone.signal)) out.write(`${JSON.stringify(line)}\n`);
    } catch (error) {
      out.write(`${JSON.stringify({ message: error instanceof Error ? error.message : String(error) })}\n`);
    } finally {
      stopping.removeEventListener("abort", stop);
      out.end();
    }
  };
  void pump();
  return reply.type("application/x-ndjson").send(out);
}
