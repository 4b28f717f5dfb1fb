import { type ManualClock, manualClock } from "@sluice/core/testing";
import { type ChronosFixture, eventually, jobsOf, send } from "./chronos-fixture.ts";
import type { EmbeddedChronos, EmbeddedChronosOptions } from "./embedded-chronos.ts";
import type { Simulation } from "./executor.ts";

/** A 3.x that runs nothing, on a clock that starts at 2026-01-01T00:00:00Z and moves when told. */
export interface SimulatedWorld {
  chronos: EmbeddedChronos;
  clock: ManualClock;
  /** Ids of the tasks that ran, in order. */
  ran: string[];
  /** Posts jobs, each to the route of its kind, and lets the loader show them. @throws unless all are accepted. */
  post(...jobs: Record<string, unknown>[]): Promise<void>;
  call(request: string, body?: unknown): ReturnType<typeof send>;
  /** A job as GET shows it; empty when there is none. */
  job(name: string): Promise<Record<string, unknown>>;
  /** Resolves when a job's fields have these values. */
  jobWhere(name: string, wanted: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Resolves when as many tasks have been started. */
  untilRan(count: number): Promise<void>;
  /** Resolves when as many sleepers (the loop is one, every run that takes time another) wait on the clock. */
  untilAsleep(count: number): Promise<void>;
}

export const succeeds: Simulation = () => ({ durationMs: 0, outcome: { state: "finished" } });
export const fails: Simulation = () => ({ durationMs: 0, outcome: { state: "failed", message: "no" } });

export async function simulatedWorld(
  fixture: ChronosFixture,
  simulate: Simulation = succeeds,
  options: Partial<EmbeddedChronosOptions> = {},
): Promise<SimulatedWorld> {
  const clock = manualClock();
  const ran: string[] = [];
  const note: Simulation = (request) => {
    ran.push(request.task.id);
    return simulate(request);
  };
  const chronos = await fixture.start({ clock, execution: "simulated", simulate: note, ...options });
  const call = (request: string, body?: unknown) =>
    send(chronos, request.replace(" ", " /v1/scheduler"), body);
  const job = async (name: string) => (await jobsOf(chronos))[name] ?? {};

  return {
    chronos,
    clock,
    ran,
    call,
    job,
    async post(...jobs) {
      for (const one of jobs) {
        const path = "parents" in one ? "dependency" : "iso8601";
        const { status, text } = await call(`POST /${path}`, { command: "true", ...one });
        if (status !== 204) throw new Error(`Job ${String(one.name)} was refused: ${text}`);
      }
      await clock.advance(5);
    },
    jobWhere: (name, wanted) =>
      eventually(
        () => job(name),
        (seen) => Object.entries(wanted).every(([key, value]) => seen[key] === value),
      ),
    async untilRan(count) {
      await eventually(
        async () => ran.length,
        (seen) => seen >= count,
      );
    },
    async untilAsleep(count) {
      await eventually(
        async () => clock.sleepers(),
        (seen) => seen === count,
      );
    },
  };
}
