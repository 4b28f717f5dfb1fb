import type { FastifyInstance, FastifyReply } from "fastify";
import { integer, record } from "./coerce.ts";
import type { Engine } from "./engine.ts";
import { addElements } from "./history.ts";
import { purge } from "./queue.ts";
import { refuse } from "./replies.ts";
import { killRuns, reportRun } from "./runs.ts";
import { jobOfTask } from "./task.ts";
import { type Refusal, unknownJob } from "./writes.ts";

interface Named {
  Params: { name: string };
}

/** Routes about runs, below the profile's prefix. */
export function taskRoutes(app: FastifyInstance, engine: Engine): void {
  app.delete<Named>("/task/kill/:name", (request, reply) => kill(engine, request.params.name, reply));
  app.post<{ Params: { name: string; id: string } }>(
    "/job/:name/task/:id/progress",
    ({ params, body }, reply) => progress(engine, { ...params, body }, reply),
  );
  if (!engine.profile.asyncJobs) return;

  app.put<{ Params: { id: string } }>("/task/:id", ({ params, body }, reply) => {
    const job = jobOfTask(params.id) ?? params.id;
    if (engine.graph.get(job) === undefined) return refuse(reply, engine.profile, unknownJob(job));
    reportRun(engine, params.id, integer(record(body) ?? {}, "statusCode", 0));
    return reply.code(204).send();
  });
  app.delete("/task/all", async (_, reply) => {
    await purge(engine);
    return reply.code(204).send();
  });
}

/** Answers at once: the processes end on their own time. */
function kill(engine: Engine, name: string, reply: FastifyReply): FastifyReply {
  const { profile } = engine;
  if (engine.graph.get(name) === undefined)
    return refuse(reply, profile, {
      ...unknownJob(name),
      status: profile.unknownKillStatus,
      kind: profile.unknownKillStatus === 400 ? "illegal" : "exception",
    });
  killRuns(engine, name);
  return reply.code(204).send();
}

/** A data processing job says how much more it has done; what is asked for besides is not checked, as in Chronos. */
async function progress(
  engine: Engine,
  { name, id, body }: { name: string; id: string; body: unknown },
  reply: FastifyReply,
): Promise<FastifyReply> {
  const job = engine.graph.get(name);
  if (job === undefined) return refuse(reply, engine.profile, unknownJob(name));
  if (!job.dataProcessingJobType) return refuse(reply, engine.profile, notDataProcessing(name));
  const more = integer(record(body) ?? {}, "numAdditionalElementsProcessed", 0);
  const stats = addElements(engine, name, id, more);
  await engine.store.commit({ history: [{ job: name, stats }] });
  return reply.code(204).send();
}

function notDataProcessing(name: string): Refusal {
  return { status: 400, message: `Job '${name}' is not enabled to track data`, kind: "illegal" };
}
