import { isJsonObject, type JobId, type JsonObject } from "@sluice/core";
import { textIn } from "../format/reading.ts";
import type { HttpConnection } from "../http/connection.ts";
import { serverMessage, strangeAnswer } from "../http/failure.ts";
import { listOf, oneOf, pathOf } from "./answers.ts";
import type { JobStore } from "./client.ts";
import { marathonFailure } from "./failure.ts";

export interface PodClient extends JobStore {
  /** The status of every pod, its spec inside; pods have no label selector. Empty where Marathon has no pods API. */
  statuses(signal?: AbortSignal): Promise<readonly JsonObject[]>;
  /** Undefined: there is no such pod. */
  status(id: JobId, signal?: AbortSignal): Promise<JsonObject | undefined>;
}

/** `/v2/pods`. */
export function podClient(http: HttpConnection): PodClient {
  return {
    async statuses(signal) {
      const answer = await http({ method: "GET", path: "/v2/pods/::status", signal });
      if (lacksPods(serverMessage(answer))) return [];
      if (answer.status === 404) throw strangeAnswer("Marathon", "GET /v2/pods/::status");
      if (answer.status !== 200) throw marathonFailure(answer);
      const statuses = listOf(answer.json, "GET /v2/pods/::status");
      if (statuses.some((one) => !isJsonObject(one.spec)))
        throw strangeAnswer("Marathon", "GET /v2/pods/::status");
      return statuses;
    },
    async status(id, signal) {
      const path = `/v2/pods${pathOf(id)}::status`;
      const answer = await http({ method: "GET", path, signal });
      if (lacksPods(serverMessage(answer))) return undefined;
      return oneOf(answer, (body) => (isJsonObject(body.spec) ? body : undefined), { id, path });
    },
    async read(id, signal) {
      const path = `/v2/pods${pathOf(id)}`;
      return oneOf(await http({ method: "GET", path, signal }), (body) => body, { id, path });
    },
    async create(pod, signal) {
      const answer = await http({ method: "POST", path: "/v2/pods?force=false", body: pod, signal });
      if (answer.status !== 201 && answer.status !== 200) throw marathonFailure(answer, pod);
      if (!isJsonObject(answer.json)) throw strangeAnswer("Marathon", "POST /v2/pods");
      return answer.json;
    },
    async replace(id, pod, signal) {
      const path = `/v2/pods${pathOf(id)}?force=false`;
      const answer = await http({ method: "PUT", path, body: pod, signal });
      if (answer.status !== 200) throw marathonFailure(answer, pod);
      if (!isJsonObject(answer.json)) throw strangeAnswer("Marathon", "PUT /v2/pods");
      return textIn(answer.json.version);
    },
    async delete(id, signal) {
      const answer = await http({ method: "DELETE", path: `/v2/pods${pathOf(id)}?force=false`, signal });
      const gone = answer.status === 404 && serverMessage(answer)?.includes("does not exist");
      if (!gone && answer.status !== 202 && answer.status !== 200) throw marathonFailure(answer);
    },
  };
}

/** What Marathon says of a route it has not got, with 404 up to 1.5 and 500 since. */
function lacksPods(message: string | undefined): boolean {
  return message?.startsWith("URI not found") === true;
}
