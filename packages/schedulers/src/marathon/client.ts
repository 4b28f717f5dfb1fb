import { isJsonObject, type JobId, type JsonObject } from "@sluice/core";
import { objectIn, objectsIn, textIn } from "../format/reading.ts";
import type { HttpConnection } from "../http/connection.ts";
import { serverMessage, strangeAnswer } from "../http/failure.ts";
import { listOf, oneOf, pathOf } from "./answers.ts";
import { marathonFailure } from "./failure.ts";
import { markSelector } from "./mark.ts";

/** The part of Marathon's API for one kind of job. Failures are SluiceErrors. */
export interface JobStore {
  /** Undefined: there is no such job. */
  read(id: JobId, signal?: AbortSignal): Promise<JsonObject | undefined>;
  /** Answers with the job as it was accepted. */
  create(spec: JsonObject, signal?: AbortSignal): Promise<JsonObject>;
  /** Answers with the version of the deployment. */
  replace(id: JobId, spec: JsonObject, signal?: AbortSignal): Promise<string | undefined>;
  /** A job that is gone counts as deleted. */
  delete(id: JobId, signal?: AbortSignal): Promise<void>;
}

export interface AppClient extends JobStore {
  /** All apps, or those that bear the mark, with counts, deployments and last failures. */
  list(query: AppQuery, signal?: AbortSignal): Promise<readonly JsonObject[]>;
}

export interface AppQuery {
  readonly mark?: string | undefined;
  /** Also how many tasks are of which spec, which makes an answer half as long again. */
  readonly stats: boolean;
}

const EMBEDS = ["counts", "deployments", "lastTaskFailure"];

/** `/v2/apps`. */
export function appClient(http: HttpConnection): AppClient {
  return {
    async list({ mark, stats }, signal) {
      const label = mark === undefined ? [] : [`label=${encodeURIComponent(markSelector(mark))}`];
      const embeds = [...EMBEDS, ...(stats ? ["taskStats"] : [])].map((one) => `embed=apps.${one}`);
      const path = `/v2/apps?${[...label, ...embeds].join("&")}`;
      const answer = await http({ method: "GET", path, signal });
      if (answer.status === 404) throw strangeAnswer("Marathon", "GET /v2/apps");
      if (answer.status !== 200) throw marathonFailure(answer);
      return listOf(objectIn(answer.json)?.apps, "GET /v2/apps");
    },
    async read(id, signal) {
      const path = `/v2/apps${pathOf(id)}`;
      const answer = await http({ method: "GET", path, signal });
      return oneOf(answer, (body) => objectIn(body.app), { id, path });
    },
    async create(app, signal) {
      const answer = await http({ method: "POST", path: "/v2/apps?force=false", body: app, signal });
      if (answer.status !== 201 && answer.status !== 200) throw marathonFailure(answer, app);
      if (!isJsonObject(answer.json)) throw strangeAnswer("Marathon", "POST /v2/apps");
      return answer.json;
    },
    async replace(id, app, signal) {
      const path = `/v2/apps${pathOf(id)}?partialUpdate=false&force=false`;
      const answer = await http({ method: "PUT", path, body: app, signal });
      if (answer.status !== 200 && answer.status !== 201) throw marathonFailure(answer, app);
      // A login page has a status of 200 as well.
      if (!isJsonObject(answer.json)) throw strangeAnswer("Marathon", "PUT /v2/apps");
      return textIn(answer.json.version);
    },
    async delete(id, signal) {
      const path = `/v2/apps${pathOf(id)}?force=false`;
      const answer = await http({ method: "DELETE", path, signal });
      const gone = answer.status === 404 && serverMessage(answer)?.includes("does not exist");
      if (gone) return;
      if (answer.status !== 200) throw marathonFailure(answer);
      if (!isJsonObject(answer.json)) throw strangeAnswer("Marathon", "DELETE /v2/apps");
    },
  };
}

/** A running deployment, and the apps and pods it changes, by absolute id. */
export interface Deployment {
  readonly id: string;
  readonly affects: readonly string[];
}

export interface DeploymentClient {
  running(signal?: AbortSignal): Promise<readonly Deployment[]>;
  /** Starts a deployment that undoes it. One that is over counts as undone. */
  undo(id: string, signal?: AbortSignal): Promise<void>;
  /** Ends it where it stands. One that is over counts as ended. */
  end(id: string, signal?: AbortSignal): Promise<void>;
}

/** `/v2/deployments`. */
export function deploymentClient(http: HttpConnection): DeploymentClient {
  async function remove(id: string, force: boolean, signal: AbortSignal | undefined) {
    const path = `/v2/deployments/${encodeURIComponent(id)}?force=${force}`;
    const answer = await http({ method: "DELETE", path, signal });
    if (![200, 202, 404].includes(answer.status)) throw marathonFailure(answer);
  }
  return {
    async running(signal) {
      const answer = await http({ method: "GET", path: "/v2/deployments", signal });
      if (answer.status !== 200) throw marathonFailure(answer);
      return listOf(answer.json, "GET /v2/deployments").map((one) => ({
        id: textIn(one.id) ?? "",
        affects: [one.affectedApps, one.affectedPods].flatMap((ids) =>
          Array.isArray(ids) ? ids.map(String) : [],
        ),
      }));
    },
    undo: (id, signal) => remove(id, false, signal),
    end: (id, signal) => remove(id, true, signal),
  };
}

/** The launch queue, or undefined where it cannot be read: it only adds words. */
export async function readQueue(http: HttpConnection, signal?: AbortSignal): Promise<JsonObject | undefined> {
  const answer = await http({ method: "GET", path: "/v2/queue", signal }).catch(() => undefined);
  signal?.throwIfAborted();
  return answer?.status === 200 ? objectIn(answer.json) : undefined;
}

/** Ids of an app's running deployments. */
export function deploymentsOf(app: JsonObject): readonly string[] {
  return objectsIn(app.deployments).flatMap(([, one]) => textIn(one.id) ?? []);
}
