import type { FastifyInstance } from "fastify";
import type { Engine } from "./engine.ts";
import { graphCsv, graphDot } from "./graph-text.ts";
import { isDependent, type Job, lastOutcome } from "./job.ts";
import { refuse } from "./replies.ts";
import { percentileJson, statJson } from "./stat-json.ts";
import { jobState } from "./state.ts";
import { writeJob, writeListedJob } from "./write-job.ts";
import { unknownJob } from "./writes.ts";

interface Named {
  Params: { name: string };
}

interface Search {
  Querystring: { name?: string; command?: string; any?: string; limit?: string; offset?: string };
}

/** Routes that only look, below the profile's prefix. */
export function readRoutes(app: FastifyInstance, engine: Engine, address: () => string): void {
  const { profile, graph } = engine;

  app.get("/jobs", () => graph.all().map((job) => writeListedJob(job, profile)));
  app.get<Search>("/jobs/search", ({ query }) =>
    search(graph.all(), query).map((job) => writeJob(job, profile)),
  );
  app.get<Named>("/job/stat/:name", ({ params }, reply) => {
    if (graph.get(params.name) === undefined) return refuse(reply, profile, unknownJob(params.name));
    return reply.send(statJson(params.name, engine.history.get(params.name) ?? []));
  });
  app.get<{ Params: { percentile: string } }>("/stats/:percentile", ({ params }) =>
    percentileJson(
      params.percentile,
      graph.all().map((job) => job.name),
      engine.history,
    ),
  );
  app.get("/graph/csv", (_, reply) => reply.type("text/plain").send(graphCsv(engine)));
  app.get("/graph/dot", (_, reply) => reply.type("text/plain").send(graphDot(engine)));
  app.get("/leader", () => ({ leader: address() }));
  if (!profile.readsOneJob) return;

  app.get("/jobs/summary", () => ({ jobs: graph.all().map((job) => summary(engine, job)) }));
  app.get<Named>("/job/:name", ({ params }, reply) => {
    const job = graph.get(params.name);
    if (job === undefined) return refuse(reply, profile, unknownJob(params.name));
    return reply.send(writeJob(job, profile));
  });
}

/** The source swaps the two: `status` is the last outcome, `state` what the job does now. */
function summary(engine: Engine, job: Job): Record<string, unknown> {
  return {
    name: job.name,
    status: lastOutcome(job),
    state: jobState(engine, job.name),
    schedule: isDependent(job) ? "" : job.schedule,
    parents: isDependent(job) ? job.parents : [],
    disabled: job.disabled,
  };
}

/** `any` only rescues a job that failed the others, so alone it filters nothing out. */
function search(jobs: readonly Job[], query: Search["Querystring"]): Job[] {
  const { name = "", command = "", any = "" } = query;
  const offset = count(query.offset, 0);
  const found = jobs.filter(
    (job) =>
      (contains(job.name, name) && contains(job.command, command)) ||
      (any !== "" && (contains(job.name, any) || contains(job.command, any))),
  );
  return found.slice(offset, offset + count(query.limit, 10));
}

function contains(text: string, part: string): boolean {
  return text.toLowerCase().includes(part.toLowerCase());
}

function count(text: string | undefined, absent: number): number {
  const parsed = text === undefined || text === "" ? absent : Number(text);
  return Number.isInteger(parsed) ? Math.max(0, parsed) : absent;
}
