import type { Engine } from "./engine.ts";
import { type Job, lastOutcome } from "./job.ts";
import { parentsOf } from "./job-graph.ts";
import { jobState } from "./state.ts";

/** Rows `node,<name>,<last outcome>,<state>`, then `link,<parent>,<child>`. */
export function graphCsv(engine: Engine): string {
  const jobs = engine.graph.all();
  const nodes = jobs.map((job) => `node,${job.name},${lastOutcome(job)},${jobState(engine, job.name)}\n`);
  return [...nodes, ...links(jobs).map(([parent, child]) => `link,${parent},${child}\n`)].join("");
}

/** Graphviz, nodes numbered from 1 as JGraphT's exporter does. */
export function graphDot(engine: Engine): string {
  const jobs = engine.graph.all();
  const numbers = new Map(jobs.map((job, index) => [job.name, index + 1]));
  const nodes = jobs.map((job) => `  ${numbers.get(job.name)} [ label="${job.name}" ];\n`);
  const edges = links(jobs).map(([from, to]) => `  ${numbers.get(from)} -> ${numbers.get(to)};\n`);
  return `digraph G {\n${[...nodes, ...edges].join("")}}\n`;
}

function links(jobs: readonly Job[]): [string, string][] {
  return jobs.flatMap((job) => parentsOf(job).map((parent): [string, string] => [parent, job.name]));
}
