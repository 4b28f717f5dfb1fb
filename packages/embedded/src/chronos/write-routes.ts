import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { record } from "./coerce.ts";
import type { Engine } from "./engine.ts";
import { isDependent, type Job } from "./job.ts";
import { readJob } from "./read-job.ts";
import { replyTo } from "./replies.ts";
import { markSuccess } from "./settle.ts";
import { deleteJob, type Refusal, runNow, writeJobInto } from "./writes.ts";

interface Named {
  Params: { name: string };
  Querystring: Record<string, string | undefined>;
}

const METHODS = ["GET", "POST", "PUT", "DELETE"] as const;

/** Routes that change something, below the profile's prefix. */
export function writeRoutes(app: FastifyInstance, engine: Engine): void {
  const { profile } = engine;
  const accept =
    (expected: "scheduled" | "dependent") => async (request: FastifyRequest, reply: FastifyReply) => {
      const job = jobOf(request.body, engine, expected);
      return replyTo(reply, profile, "status" in job ? job : await writeJobInto(engine, job));
    };
  const paths = { "/iso8601": accept("scheduled"), "/dependency": accept("dependent") };
  for (const [url, handler] of Object.entries(paths)) {
    app.route({ method: [...profile.writeMethods], url, handler });
    const others = METHODS.filter((method) => !profile.writeMethods.some((one) => one === method));
    app.route({ method: others, url, handler: (_, reply) => reply.code(405).send() });
  }

  app.put<Named>("/job/:name", async ({ params, query }, reply) =>
    replyTo(reply, profile, await runNow(engine, params.name, query.arguments ?? "")),
  );
  app.delete<Named>("/job/:name", async ({ params }, reply) =>
    replyTo(reply, profile, await deleteJob(engine, params.name)),
  );
  app.put<Named>("/job/success/:name", async ({ params }, reply) => {
    const marked = await markSuccess(engine, params.name);
    return reply.type("text/plain").send(`marked job ${params.name} as successful: ${marked}`);
  });
}

function jobOf(body: unknown, engine: Engine, expected: "scheduled" | "dependent"): Job | Refusal {
  const json = record(body);
  if (json === undefined) return badBody("The body must be a JSON object");
  const job = readJob(json, engine.settings.defaults);
  if (isDependent(job) === (expected === "dependent")) return job;
  return badBody(
    expected === "scheduled"
      ? "A job with `parents` belongs to /dependency"
      : "A dependent job needs `parents`",
  );
}

function badBody(message: string): Refusal {
  return { status: 400, message, kind: "plain" };
}
