import { createServer, type RequestListener } from "node:http";
import fastify, { type FastifyError, type FastifyInstance } from "fastify";
import type { Faults } from "../faults/faults.ts";
import type { Engine } from "./engine.ts";
import { readRoutes } from "./read-routes.ts";
import { refuse } from "./replies.ts";
import { taskRoutes } from "./task-routes.ts";
import { writeRoutes } from "./write-routes.ts";

const LARGEST_BODY_BYTES = 10 * 1024 * 1024;

/** The HTTP API. @param address `host:port` of this server, for `/leader`. */
export function server(engine: Engine, address: () => string, faults?: Faults): FastifyInstance {
  const app = fastify({
    ...(faults && {
      serverFactory: (listener: RequestListener) => createServer(faults.guard(listener, engine.clock)),
    }),
    bodyLimit: LARGEST_BODY_BYTES,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 5000 },
  });
  readBodies(app);
  app.setNotFoundHandler((_, reply) => reply.code(404).type("text/html").send("<h2>HTTP ERROR 404</h2>\n"));
  app.setErrorHandler((error: FastifyError, _, reply) => {
    const status = error.statusCode ?? 500;
    if (status === 415 || status === 413) return reply.code(status).send();
    if (status >= 500) engine.log({ type: "internal-error", reason: error.message });
    const kind = status >= 500 ? "exception" : "plain";
    return refuse(reply, engine.profile, { status: status >= 500 ? 500 : 400, message: error.message, kind });
  });
  app.get("/ping", (_, reply) => reply.type("text/plain").send("pong"));
  app.get("/metrics", () => metrics(engine));
  void app.register(
    (below, _, done) => {
      readRoutes(below, engine, address);
      writeRoutes(below, engine);
      taskRoutes(below, engine);
      done();
    },
    { prefix: engine.profile.prefix },
  );
  return app;
}

/** A DELETE or a "run now" may announce JSON and send nothing, as many clients do. */
function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^application\/([\w.-]+\+)?json/, { parseAs: "string" }, (_, body, done) => {
    try {
      done(null, body === "" ? undefined : JSON.parse(String(body)));
    } catch (error) {
      done(Object.assign(new Error(`The body is not JSON: ${String(error)}`), { statusCode: 400 }));
    }
  });
}

function metrics(engine: Engine): Record<string, unknown> {
  return {
    version: "3.0.0",
    gauges: {
      "jobs.count": { value: engine.graph.all().length },
      "tasks.running": { value: engine.runs.size },
      "tasks.queued": { value: engine.queues.high.length + engine.queues.normal.length },
    },
    counters: {},
    histograms: {},
    meters: {},
    timers: {},
  };
}
