import { isJsonObject, type JobId, type JsonObject, SluiceError } from "@sluice/core";
import { listIn, objectIn, objectsIn, textIn } from "../format/reading.ts";
import type { HttpConnection } from "../http/connection.ts";
import { serverMessage, strangeAnswer } from "../http/failure.ts";
import { absoluteId } from "./app-id.ts";
import { marathonFailure } from "./failure.ts";
import { markSelector } from "./mark.ts";

/** The part of Marathon's API that Sluice uses. Failures are SluiceErrors. */
export interface MarathonClient {
  /** All apps, or those that bear the mark, with counts, deployments and last failures. */
  apps(mark: string | undefined, signal?: AbortSignal): Promise<readonly JsonObject[]>;
  /** Undefined: there is no such app. */
  app(id: JobId, signal?: AbortSignal): Promise<JsonObject | undefined>;
  /** The launch queue, or undefined where it cannot be read: it only adds words. */
  queue(signal?: AbortSignal): Promise<JsonObject | undefined>;
  /** Answers with the app as it was accepted, which lacks `versionInfo`. */
  create(app: JsonObject, signal?: AbortSignal): Promise<JsonObject>;
  replace(id: JobId, app: JsonObject, signal?: AbortSignal): Promise<void>;
  /** An app that is gone counts as deleted. */
  delete(id: JobId, signal?: AbortSignal): Promise<void>;
  /** Undoes a running deployment; one that is over counts as undone. */
  undo(deployment: string, signal?: AbortSignal): Promise<void>;
  /** @throws SCHEDULER_INVALID for a Marathon that cannot replace an app. */
  checkVersion(signal?: AbortSignal): Promise<void>;
}

const EMBEDS = ["apps.counts", "apps.deployments", "apps.lastTaskFailure"]
  .map((one) => `embed=${one}`)
  .join("&");

export function marathonClient(http: HttpConnection): MarathonClient {
  let checked = false;
  return {
    async apps(mark, signal) {
      const label = mark === undefined ? "" : `label=${encodeURIComponent(markSelector(mark))}&`;
      const answer = await http({ method: "GET", path: `/v2/apps?${label}${EMBEDS}`, signal });
      if (answer.status === 404) throw strangeAnswer("Marathon", "GET /v2/apps");
      if (answer.status !== 200) throw marathonFailure(answer);
      const apps = objectIn(answer.json)?.apps;
      const entries = listIn(apps).filter(isJsonObject);
      if (!Array.isArray(apps) || entries.length !== apps.length || entries.some((app) => !textIn(app.id)))
        throw strangeAnswer("Marathon", "GET /v2/apps");
      return entries;
    },
    async app(id, signal) {
      const answer = await http({ method: "GET", path: appPath(id), signal });
      // A proxy's 404 must not read as "the app is gone".
      if (answer.status === 404 && serverMessage(answer)?.includes("does not exist")) return undefined;
      if (answer.status === 404) throw strangeAnswer("Marathon", `GET ${appPath(id)}`);
      if (answer.status !== 200) throw marathonFailure(answer);
      const app = objectIn(objectIn(answer.json)?.app);
      if (!app || textIn(app.id) !== absoluteId(id)) throw strangeAnswer("Marathon", `GET ${appPath(id)}`);
      return app;
    },
    async queue(signal) {
      const answer = await http({ method: "GET", path: "/v2/queue", signal }).catch(() => undefined);
      signal?.throwIfAborted();
      return answer?.status === 200 ? objectIn(answer.json) : undefined;
    },
    async create(app, signal) {
      const answer = await http({ method: "POST", path: "/v2/apps?force=false", body: app, signal });
      if (answer.status !== 201 && answer.status !== 200) throw marathonFailure(answer, app);
      if (!isJsonObject(answer.json)) throw strangeAnswer("Marathon", "POST /v2/apps");
      return answer.json;
    },
    async replace(id, app, signal) {
      const path = `${appPath(id)}?partialUpdate=false&force=false`;
      const answer = await http({ method: "PUT", path, body: app, signal });
      if (answer.status !== 200 && answer.status !== 201) throw marathonFailure(answer, app);
    },
    async delete(id, signal) {
      const answer = await http({ method: "DELETE", path: `${appPath(id)}?force=false`, signal });
      if (answer.status !== 200 && answer.status !== 404) throw marathonFailure(answer);
    },
    async undo(deployment, signal) {
      const path = `/v2/deployments/${encodeURIComponent(deployment)}?force=false`;
      const answer = await http({ method: "DELETE", path, signal });
      if (![200, 202, 404].includes(answer.status)) throw marathonFailure(answer);
    },
    async checkVersion(signal) {
      if (checked) return;
      await refuseOldVersions(http, signal);
      checked = true;
    },
  };
}

/** Ids of an app's running deployments. */
export function deploymentsOf(app: JsonObject): readonly string[] {
  return objectsIn(app.deployments).flatMap(([, one]) => textIn(one.id) ?? []);
}

/** Before 1.4 every PUT is a patch, so that a key removed in Git would stay (reference 1.0). */
async function refuseOldVersions(http: HttpConnection, signal: AbortSignal | undefined): Promise<void> {
  const answer = await http({ method: "GET", path: "/v2/info", signal });
  const version = textIn(objectIn(answer.json)?.version) ?? "";
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(major) > 1 || Number(minor) >= 4 || major === undefined) return;
  throw new SluiceError(
    "SCHEDULER_INVALID",
    `Marathon ${version} is too old to be managed: 1.4 or newer is needed`,
  );
}

function appPath(id: JobId): string {
  return `/v2/apps${absoluteId(id).split("/").map(encodeURIComponent).join("/")}`;
}
