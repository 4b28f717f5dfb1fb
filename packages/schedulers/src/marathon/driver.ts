import {
  type ApplyRequest,
  type Clock,
  type JobId,
  type JsonObject,
  type LiveJob,
  type LiveQuery,
  type Random,
  type Scheduler,
  SluiceError,
} from "@sluice/core";
import { withValueFrom } from "../format/field-path.ts";
import { httpConnection } from "../http/connection.ts";
import type { HttpOptions } from "../http/options.ts";
import { absoluteId } from "./app-id.ts";
import { deploymentsOf, type MarathonClient, marathonClient } from "./client.ts";
import { watchEvents } from "./events.ts";
import { compareApps } from "./format.ts";
import { liveApp, versionOf } from "./live-app.ts";
import { markOf, withMark } from "./mark.ts";
import { isUnsettled, queueEntries } from "./observe.ts";

export interface MarathonOptions extends HttpOptions {
  readonly clock: Clock;
  readonly random: Random;
}

/** Up to this many apps are read one by one; more cost less as one list. */
const MOST_SINGLE_READS = 20;

/**
 * Marathon 1.4 and later. The mark is the label `sluice/owner`. Marathon has no compare-and-set: a create is refused where
 * the app exists; before an update the app is read again and the update is refused where it has moved. Nothing is forced.
 */
export function marathon(options: MarathonOptions): Scheduler {
  const client = marathonClient(httpConnection("Marathon", options));
  return {
    list: (query, signal) => list(client, query, signal),
    async apply(request, signal) {
      await client.checkVersion(signal);
      return request.live
        ? update(client, request, request.live, signal)
        : { version: versionOf(await client.create(bodyOf(request), signal)) };
    },
    async remove({ id, mark }, signal) {
      const app = await client.app(id, signal);
      if (!app) return;
      if (markOf(app) !== mark)
        throw new SluiceError(
          "SCHEDULER_CONFLICT",
          `the app ${id} does not bear this engine's mark; it stays`,
        );
      await client.delete(id, signal);
    },
    watch: (signal) => watchEvents(options, signal),
    async cancel(id, signal) {
      const app = await client.app(id, signal);
      for (const deployment of app ? deploymentsOf(app) : []) await client.undo(deployment, signal);
    },
  };
}

async function list(
  client: MarathonClient,
  query: LiveQuery,
  signal: AbortSignal | undefined,
): Promise<readonly LiveJob[]> {
  const apps =
    "mark" in query ? await byMark(client, query.mark, signal) : await byIds(client, query.ids, signal);
  const queue = apps.some(isUnsettled) ? await client.queue(signal) : undefined;
  const entries = queue ? queueEntries(queue) : new Map<string, never>();
  return apps.map((app) => liveApp(app, entries.get(String(app.id))));
}

async function byMark(client: MarathonClient, mark: string, signal: AbortSignal | undefined) {
  return (await client.apps(mark, signal)).filter((app) => markOf(app) === mark);
}

async function byIds(
  client: MarathonClient,
  ids: readonly JobId[],
  signal: AbortSignal | undefined,
): Promise<readonly JsonObject[]> {
  if (ids.length <= MOST_SINGLE_READS) {
    const found = await Promise.all([...new Set(ids)].map((id) => client.app(id, signal)));
    return found.filter((app) => app !== undefined);
  }
  const wanted = new Set(ids.map(absoluteId));
  return (await client.apps(undefined, signal)).filter((app) => wanted.has(String(app.id)));
}

async function update(
  client: MarathonClient,
  request: ApplyRequest,
  planned: LiveJob,
  signal: AbortSignal | undefined,
): Promise<{ readonly version: string }> {
  const { id, ignore } = request;
  const present = await client.app(id, signal);
  if (!present) throw new SluiceError("SCHEDULER_CONFLICT", `the app ${id} is gone`);
  if (hasMoved(planned, present, ignore))
    throw new SluiceError("SCHEDULER_CONFLICT", `somebody changed the app ${id} since it was planned`);
  await client.replace(
    id,
    ignore.reduce((app, path) => keeping(app, present, path), bodyOf(request)),
    signal,
  );
  // The answer to a PUT names the deployment's version, which is not the app's where nothing or only its size changed.
  const written = await client.app(id, signal);
  return { version: written ? versionOf(written) : "" };

  function keeping(app: JsonObject, live: JsonObject, path: string): JsonObject {
    return withMark(withValueFrom(app, live, path), request.mark);
  }
}

/** A restart, or a change of what is left to others, moves the version but takes nothing from anybody when written over. */
function hasMoved(planned: LiveJob, present: JsonObject, ignore: readonly string[]): boolean {
  if (planned.version === versionOf(present)) return false;
  return markOf(present) !== planned.owner || compareApps(planned.spec, present, ignore).length > 0;
}

function bodyOf({ spec, id, mark }: ApplyRequest): JsonObject {
  return withMark({ ...spec, id: absoluteId(id) }, mark);
}
