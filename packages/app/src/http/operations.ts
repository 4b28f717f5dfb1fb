import { messageOf } from "@sluice/core";
import type { FastifyInstance } from "fastify";
import type { HttpContext } from "./context.ts";

/** Health, readiness, metrics and the event stream. */
export function operationRoutes(
  app: FastifyInstance,
  { readiness, metrics, stream, signal }: HttpContext,
): void {
  app.get("/healthz", async () => ({ status: "ok" }));

  app.get("/readyz", async (_request, reply) => {
    try {
      const problems = await readiness.problems();
      if (problems.length === 0) return { status: "ok" };
      return reply.code(503).send({ status: "not ready", message: problems.join("; ") });
    } catch (error) {
      return reply.code(503).send({ status: "unavailable", message: messageOf(error) });
    }
  });

  app.get("/metrics", async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));

  app.get("/events", (request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    reply.raw.write(": sluice\n\n");
    const stop = stream.listen((event) =>
      reply.raw.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`),
    );
    const end = () => {
      stop();
      signal.removeEventListener("abort", end);
      reply.raw.end();
    };
    request.raw.socket.once("close", end);
    signal.addEventListener("abort", end, { once: true });
  });
}
