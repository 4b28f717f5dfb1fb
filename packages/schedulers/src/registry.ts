import { type Clock, type JobFormat, type Random, type Scheduler, SluiceError, suggest } from "@sluice/core";
import { chronos } from "./chronos/driver.ts";
import { chronosFormat } from "./chronos/format.ts";
import type { HttpOptions } from "./http/options.ts";
import { marathon } from "./marathon/driver.ts";
import { marathonFormat } from "./marathon/format.ts";
import { swarm } from "./swarm/driver.ts";
import { swarmFormat } from "./swarm/format.ts";

/** What every scheduler is opened with. */
export interface SchedulerOptions extends HttpOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The text of a Docker `config.json`, for Swarm's nodes to pull images with. */
  readonly registryAuth?: () => string;
}

/** A scheduler Sluice knows: how its jobs are written, and how it is spoken to. */
export interface SchedulerKind {
  readonly format: () => JobFormat;
  readonly open: (options: SchedulerOptions) => Scheduler;
}

/** Every kind of scheduler, by the name a target gives in its `type`. */
export const schedulerKinds: Readonly<Record<string, SchedulerKind>> = {
  marathon: { format: marathonFormat, open: marathon },
  chronos: { format: chronosFormat, open: chronos },
  swarm: { format: swarmFormat, open: swarm },
};

/** @throws CONFIG_INVALID, naming the known kinds. */
export function schedulerKind(name: string): SchedulerKind {
  const kind = Object.hasOwn(schedulerKinds, name) ? schedulerKinds[name] : undefined;
  if (kind) return kind;
  const known = Object.keys(schedulerKinds);
  throw new SluiceError(
    "CONFIG_INVALID",
    `there is no scheduler "${name}"${suggest(name, known)}; known: ${known.join(", ")}`,
  );
}
