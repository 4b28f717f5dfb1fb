import { expect, vi } from "vitest";
import type { JobId } from "../../model/ids.ts";
import type { LiveJob } from "../../model/job.ts";
import type { JsonObject } from "../../model/json.ts";
import type { JobFormat, Scheduler } from "../../ports/scheduler.ts";

/** A scheduler under test, and hands to reach past it. */
export interface SchedulerSubject {
  readonly scheduler: Scheduler;
  readonly compare: JobFormat["compare"];
  /** Two valid specs of a job that becomes healthy; the second one lacks a field of the first and has another value in one. */
  spec(id: JobId, which: "first" | "second"): JsonObject;
  /** The field that `change` sets to a value neither spec has. */
  readonly changedPath: string;
  /** Creates a job by hand, without a mark. */
  plant(id: JobId): Promise<void>;
  /** Changes one field of a job by hand. */
  change(id: JobId): Promise<void>;
  /** Removes a job by hand. */
  drop(id: JobId): Promise<void>;
  /** A scheduler of this kind whose server is away, refuses the credentials, or refuses every write as invalid. */
  failing(how: "unreachable" | "denied" | "invalid"): Promise<Scheduler>;
  /** The same server behind something that spoils every answer to a read; needed where `abilities.garbles`. */
  garbled?(how: Garbling): Promise<Scheduler>;
  stop(): Promise<void>;
}

/** Ways an answer is none: cut off on the way, cut off by its sender, a login page, nothing, somebody else's JSON. */
export const GARBLINGS = ["truncated", "cut short", "html", "empty", "foreign"] as const;
export type Garbling = (typeof GARBLINGS)[number];

/** Which optional members the scheduler has, and what more its server lets be tested. */
export interface SchedulerAbilities {
  readonly watch: boolean;
  readonly cancel: boolean;
  /** The subject can spoil answers. */
  readonly garbles?: boolean;
  /** Specs of every shape the format has, by what is particular about them, each of a job that becomes healthy. */
  readonly specs?: Readonly<Record<string, (id: JobId) => JsonObject>>;
}

/** A subject with ids and marks of its own, so that tests can share one server. */
export interface Trial extends SchedulerSubject {
  readonly mark: string;
  readonly anotherMark: string;
  id(name: string): JobId;
  /** The job as it is listed; undefined: it is not there. */
  find(id: JobId): Promise<LiveJob | undefined>;
  /** Creates a job under the mark and waits until it is healthy. */
  create(name: string, mark?: string): Promise<LiveJob>;
  /** Waits until the job is there and healthy. */
  healthy(id: JobId): Promise<LiveJob>;
}

export function trialOf(subject: SchedulerSubject, number: number): Trial {
  const mark = `conformance-${number}`;
  const trial: Trial = {
    ...subject,
    mark,
    anotherMark: `${mark}-other`,
    id: (name) => `trial-${number}-${name}` as JobId,
    async find(id) {
      const found = await subject.scheduler.list({ ids: [id] });
      expect(found.length).toBeLessThan(2);
      return found[0];
    },
    healthy: (id) =>
      vi.waitFor(
        async () => {
          const job = await trial.find(id);
          if (job?.observed.health !== "Healthy")
            throw new Error(
              `${id} is ${job ? `${job.observed.health}: ${job.observed.message}` : "missing"}`,
            );
          return job;
        },
        { timeout: 15_000, interval: 20 },
      ),
    async create(name, owner = mark) {
      const id = trial.id(name);
      await subject.scheduler.apply({
        id,
        spec: subject.spec(id, "first"),
        mark: owner,
        live: undefined,
        ignore: [],
      });
      return trial.healthy(id);
    },
  };
  return trial;
}
