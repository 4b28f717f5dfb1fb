import { isJsonObject, type JobId, type JsonObject } from "@sluice/core";
import { listIn, objectIn, textIn } from "../format/reading.ts";
import type { HttpAnswer, HttpConnection } from "../http/connection.ts";
import { serverMessage, strangeAnswer } from "../http/failure.ts";
import { chronosFailure } from "./failure.ts";

/** The part of Chronos's API that Sluice uses. Failures are SluiceErrors. */
export interface ChronosClient {
  jobs(signal?: AbortSignal): Promise<readonly JsonObject[]>;
  /** Undefined: Chronos does not show such a job. */
  job(id: JobId, signal?: AbortSignal): Promise<JsonObject | undefined>;
  /** Creates or replaces; Chronos 3 shows it some time later. */
  write(job: JsonObject, signal?: AbortSignal): Promise<void>;
  delete(id: JobId, signal?: AbortSignal): Promise<void>;
}

/** Version 3 and version 2. */
const PREFIXES = ["/v1/scheduler", "/scheduler"] as const;
/** Version 2 finds jobs by a part of their name, so the one meant may stand behind many others. */
const SEARCH_LIMIT = 100_000;

export function chronosClient(http: HttpConnection): ChronosClient {
  let known: (typeof PREFIXES)[number] | undefined;

  /** The first prefix that answers with jobs; asked again until one did. */
  async function firstJobs(signal: AbortSignal | undefined): Promise<readonly JsonObject[]> {
    let last: HttpAnswer | undefined;
    for (const prefix of PREFIXES) {
      const answer = await http({ method: "GET", path: `${prefix}/jobs`, signal });
      if (answer.status === 200 && Array.isArray(answer.json)) {
        known = prefix;
        return jobsOf(answer, "GET /jobs");
      }
      if (answer.status !== 404) last ??= answer;
    }
    if (!last || last.status < 400) throw strangeAnswer("Chronos", "GET /jobs");
    throw chronosFailure(last);
  }
  async function prefixOf(signal: AbortSignal | undefined): Promise<(typeof PREFIXES)[number]> {
    if (known === undefined) await firstJobs(signal);
    return known ?? PREFIXES[0];
  }

  return {
    async jobs(signal) {
      if (known === undefined) return firstJobs(signal);
      const answer = await http({ method: "GET", path: `${known}/jobs`, signal });
      // Another version may have taken its place.
      if (answer.status === 404) {
        known = undefined;
        return firstJobs(signal);
      }
      if (answer.status !== 200) throw chronosFailure(answer);
      return jobsOf(answer, "GET /jobs");
    },
    async job(id, signal) {
      const prefix = await prefixOf(signal);
      const name = encodeURIComponent(id);
      if (prefix === "/scheduler") {
        const path = `${prefix}/jobs/search?name=${name}&limit=${SEARCH_LIMIT}`;
        const answer = await http({ method: "GET", path, signal });
        if (answer.status !== 200) throw chronosFailure(answer);
        return jobsOf(answer, "GET /jobs/search").find((one) => one.name === id);
      }
      const answer = await http({ method: "GET", path: `${prefix}/job/${name}`, signal });
      // An unknown job is a 400 here, never a 404. A proxy's 400 must not read as "it is gone".
      if (answer.status === 400 && serverMessage(answer) !== undefined) return undefined;
      if (answer.status === 400) throw strangeAnswer("Chronos", `GET /job/${name}`);
      if (answer.status !== 200) throw chronosFailure(answer);
      const job = objectIn(answer.json);
      if (job?.name !== id) throw strangeAnswer("Chronos", `GET /job/${name}`);
      return job;
    },
    async write(job, signal) {
      const kind = Array.isArray(job.parents) ? "dependency" : "iso8601";
      const path = `${await prefixOf(signal)}/${kind}`;
      const answer = await http({ method: "POST", path, body: job, signal });
      if (answer.status >= 400) throw chronosFailure(answer, job);
      if (!isDone(answer)) throw strangeAnswer("Chronos", `POST /${kind}`);
    },
    async delete(id, signal) {
      const path = `${await prefixOf(signal)}/job/${encodeURIComponent(id)}`;
      const answer = await http({ method: "DELETE", path, signal });
      if (answer.status === 400 && !(await this.job(id, signal))) return;
      if (answer.status >= 400) throw chronosFailure(answer);
      if (!isDone(answer)) throw strangeAnswer("Chronos", "DELETE /job");
    },
  };
}

/** Writes answer with no body; a login page's 200 has one. */
function isDone({ status, text }: HttpAnswer): boolean {
  return status === 204 || (status === 200 && text === "");
}

function jobsOf(answer: HttpAnswer, question: string): readonly JsonObject[] {
  const jobs = listIn(answer.json).filter(isJsonObject);
  const whole = Array.isArray(answer.json) && jobs.length === answer.json.length;
  if (!whole || jobs.some((job) => !textIn(job.name))) throw strangeAnswer("Chronos", question);
  return jobs;
}
