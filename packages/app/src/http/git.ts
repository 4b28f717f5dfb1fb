import { gitHttpBackend } from "@sluice/git";
import type { FastifyInstance } from "fastify";

/** Serves the hosted deploy repo for clone, fetch and push at `/deploy.git`. */
export function gitRoutes(app: FastifyInstance, repository: string, signal: AbortSignal): void {
  const serve = gitHttpBackend({ repositories: { deploy: repository } });
  // Git's bodies are streamed to git itself and never held in memory, so that the body limit is not theirs.
  app.addContentTypeParser(/^application\/x-git-/, (_request, _payload, done) => done(null));
  app.route({
    method: ["GET", "POST"],
    url: "/deploy.git/*",
    bodyLimit: Number.MAX_SAFE_INTEGER,
    handler: async (request, reply) => {
      reply.hijack();
      await serve(request.raw, reply.raw, signal);
    },
  });
}
