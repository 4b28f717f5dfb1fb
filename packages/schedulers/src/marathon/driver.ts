import {
  type ApplyRequest,
  type Clock,
  type JobId,
  type LiveJob,
  type Random,
  type Scheduler,
  SluiceError,
} from "@sluice/core";
import { httpConnection } from "../http/connection.ts";
import type { HttpOptions } from "../http/options.ts";
import { absoluteId } from "./app-id.ts";
import { appClient, deploymentClient } from "./client.ts";
import { watchEvents } from "./events.ts";
import { listing } from "./listing.ts";
import { markOf } from "./mark.ts";
import { podClient } from "./pod-client.ts";
import { isPod } from "./pod-kind.ts";
import { rollouts } from "./rollouts.ts";
import { refuseUnknownFields, versionReader } from "./versions.ts";
import { create, update, type Written } from "./write.ts";

export interface MarathonOptions extends HttpOptions {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Marathon 1.4 and later, apps and pods. The mark is the label `sluice/owner`. Marathon has no compare-and-set: a create is
 * refused where the job exists; before an update the job is read again and the update is refused where it has moved. No
 * write is forced.
 */
export function marathon(options: MarathonOptions): Scheduler {
  const http = httpConnection("Marathon", options);
  const apps = appClient(http);
  const pods = podClient(http);
  const deployments = deploymentClient(http);
  const versionNow = versionReader(http, options.clock);
  const open = rollouts(options.clock);

  async function write(request: ApplyRequest, signal: AbortSignal | undefined): Promise<Written> {
    refuseUnknownFields(request.spec, await versionNow(signal));
    const { id, spec, live } = request;
    if (live && isPod(live.spec) !== isPod(spec)) throw otherKind(id, isPod(spec));
    const context = { store: isPod(spec) ? pods : apps, deployments };
    return live ? update(context, { ...request, live }, signal) : create(context, request, signal);
  }

  return {
    list: listing({ http, apps, pods, deployments, rollouts: open }),
    async apply(request, signal) {
      const { version, before } = await write(request, signal);
      open.sent(request.id, before, version);
      return { version };
    },
    async remove({ id, mark, proof }, signal) {
      const app = await apps.read(id, signal);
      const job = app ?? (await pods.status(id, signal))?.spec;
      if (typeof job !== "object" || job === null || Array.isArray(job)) return;
      if (markOf(job as LiveJob["spec"]) !== mark)
        throw new SluiceError(
          "SCHEDULER_CONFLICT",
          `${absoluteId(id)} does not bear this engine's mark; it stays`,
        );
      await proof?.();
      await (app ? apps : pods).delete(id, signal);
      open.forget(id);
    },
    watch: (signal) => watchEvents(options, signal),
    async cancel(id, signal) {
      const path = absoluteId(id);
      const running = await deployments.running(signal);
      for (const one of running) if (one.affects.includes(path)) await deployments.undo(one.id, signal);
    },
  };
}

function otherKind(id: JobId, wantsPod: boolean): SluiceError {
  const [wanted, found] = wantsPod ? ["a pod", "an app"] : ["an app", "a pod"];
  return new SluiceError("SCHEDULER_INVALID", `${absoluteId(id)} is ${found} in Marathon, not ${wanted}`, {
    hint: "Marathon turns neither into the other: give it another id, or remove it first.",
  });
}
