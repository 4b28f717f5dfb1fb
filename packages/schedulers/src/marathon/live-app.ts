import { type JsonObject, jobId, type LiveJob } from "@sluice/core";
import { objectIn, textIn, without } from "../format/reading.ts";
import { markOf } from "./mark.ts";
import { observe, type QueueEntry } from "./observe.ts";

/** What Marathon tells of an app that is not the app's definition. */
const RUNTIME = [
  ...["tasks", "tasksStaged", "tasksRunning", "tasksHealthy", "tasksUnhealthy", "deployments"],
  ...["lastTaskFailure", "readinessCheckResults", "taskStats", "tasksStats"],
];

/** An app as GET shows it, with counts and deployments. */
export function liveApp(app: JsonObject, queued?: QueueEntry): LiveJob {
  return {
    id: jobId(textIn(app.id) ?? ""),
    spec: without(app, ...RUNTIME),
    owner: markOf(app),
    version: versionOf(app),
    observed: observe(app, queued),
  };
}

/**
 * When the app was last changed and last scaled. The answer to a create lacks both, and a new app's `version` is both.
 */
export function versionOf(app: JsonObject): string {
  const info = objectIn(app.versionInfo);
  const [changed, scaled] = [textIn(info?.lastConfigChangeAt), textIn(info?.lastScalingAt)];
  const version = textIn(app.version) ?? "";
  return `${changed ?? version} ${scaled ?? version}`;
}
