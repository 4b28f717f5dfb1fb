import { messageOf } from "@sluice/core";
import type { FastifyInstance } from "fastify";
import type { HttpContext } from "./context.ts";
import { eventRoutes } from "./events/routes.ts";

/** Health, readiness, metrics and the event stream. */
export function operationRoutes(app: FastifyInstance, context: HttpContext): void {
  const { readiness, metrics } = context;
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

  app.get("/metrics", async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text(context)),
  );

  eventRoutes(app, context);
}
