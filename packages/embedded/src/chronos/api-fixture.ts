import { manualClock } from "@sluice/core/testing";
import { type Answer, type ChronosFixture, jobsOf, send } from "./chronos-fixture.ts";
import type { EmbeddedChronos } from "./embedded-chronos.ts";
import type { ProfileName } from "./profile.ts";

export const LATER = "R/2030-01-01T00:00:00Z/P1D";

/** A scheduled job that is not due for years. */
export function job(name: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { name, command: "true", schedule: LATER, ...more };
}

export function child(name: string, ...parents: string[]): Record<string, unknown> {
  return { name, command: "true", parents };
}

/** One of the two generations, below its prefix, running nothing on a clock that stands still. */
export interface Api {
  chronos: EmbeddedChronos;
  call(request: string, body?: unknown): Promise<Answer>;
  jobs(): Promise<Record<string, Record<string, unknown>>>;
  /** Posts and lets the loader show them. */
  post(...jobs: Record<string, unknown>[]): Promise<void>;
}

export async function api(fixture: ChronosFixture, profile: ProfileName): Promise<Api> {
  const clock = manualClock();
  const prefix = profile === "3.x" ? "/v1/scheduler" : "/scheduler";
  const chronos = await fixture.start({ clock, profile, execution: "simulated" });
  const call = (request: string, body?: unknown) => send(chronos, request.replace(" ", ` ${prefix}`), body);
  return {
    chronos,
    call,
    jobs: () => jobsOf(chronos, prefix),
    async post(...all) {
      for (const one of all) {
        const { status, text } = await call(`POST ${"parents" in one ? "/dependency" : "/iso8601"}`, one);
        if (status !== 204) throw new Error(`Job ${String(one.name)} was refused: ${text}`);
      }
      await clock.advance(5);
    },
  };
}
