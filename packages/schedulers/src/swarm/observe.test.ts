import type { JsonObject } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { observe } from "./observe.ts";

const NEW = { ContainerSpec: { Image: "web:2", Env: ["TOKEN=hunter22"] } };
const OLD = { ContainerSpec: { Image: "web:1" } };

function service(replicas: number, update?: string): JsonObject {
  return {
    Spec: {
      Name: "web",
      TaskTemplate: { ...NEW, Runtime: "container" },
      Mode: { Replicated: { Replicas: replicas } },
    },
    ...(update ? { UpdateStatus: { State: update } } : {}),
  };
}

let moment = 0;
function task(spec: JsonObject, state: string, desired = "running", err?: string): JsonObject {
  moment += 1;
  const Timestamp = `2026-01-01T00:00:${String(moment).padStart(2, "0")}Z`;
  return {
    Spec: spec,
    DesiredState: desired,
    Status: { State: state, Timestamp, ...(err ? { Err: err } : {}) },
  };
}

const FAILED = task(NEW, "failed", "shutdown", "task: non-zero exit (1)");

describe("a service", () => {
  it.each<[string, JsonObject, readonly JsonObject[], object]>([
    [
      "runs",
      service(2),
      [task(NEW, "running"), task(NEW, "running")],
      { health: "Healthy", message: "2 of 2 tasks running" },
    ],
    [
      "failed once, and runs",
      service(1),
      [FAILED, task(NEW, "running")],
      { health: "Healthy", message: "1 of 1 tasks running" },
    ],
    ["is scaled to 0", service(0), [], { health: "Healthy", message: "scaled to 0" }],
    ["has no tasks yet", service(1), [], { health: "Progressing", message: "0 of 1 tasks running" }],
    [
      "still runs the old spec right after an update",
      service(1),
      [task(OLD, "running")],
      { health: "Progressing", message: "0 of 1 tasks running; 1 of the previous spec still running" },
    ],
    [
      "runs beside an old task",
      service(1),
      [task(NEW, "running"), task(OLD, "running")],
      { health: "Progressing", message: "1 of 1 tasks running; 1 of the previous spec still running" },
    ],
    [
      "stopped its old task",
      service(1),
      [task(NEW, "running"), task(OLD, "running", "shutdown")],
      { health: "Healthy", message: "1 of 1 tasks running" },
    ],
    [
      "is watched by its update",
      service(1, "updating"),
      [task(NEW, "running")],
      { health: "Progressing", message: "1 of 1 tasks running" },
    ],
    [
      "was updated",
      service(1, "completed"),
      [task(NEW, "running")],
      { health: "Healthy", message: "1 of 1 tasks running" },
    ],
    [
      "fails and is started again",
      service(1),
      [FAILED, task(NEW, "ready", "ready")],
      { health: "Degraded", message: "0 of 1 tasks running; the last task failed: task: non-zero exit (1)" },
    ],
    [
      "failed for good",
      service(1),
      [FAILED],
      {
        health: "Degraded",
        failed: true,
        message: "0 of 1 tasks running; the last task failed: task: non-zero exit (1)",
      },
    ],
    [
      "fits nowhere",
      service(1),
      [task(NEW, "pending", "running", "no suitable node")],
      { health: "Degraded", message: "0 of 1 tasks running; a task cannot be placed: no suitable node" },
    ],
    [
      "had its update paused",
      service(1, "paused"),
      [FAILED],
      {
        health: "Degraded",
        failed: true,
        message:
          "Swarm paused the update; 0 of 1 tasks running; the last task failed: task: non-zero exit (1)",
      },
    ],
    [
      "is being rolled back",
      service(1, "rollback_started"),
      [],
      {
        health: "Progressing",
        rolledBack: true,
        message: "Swarm is putting the previous spec back; 0 of 1 tasks running",
      },
    ],
    [
      "was rolled back",
      service(1, "rollback_completed"),
      [task(NEW, "running")],
      {
        health: "Healthy",
        rolledBack: true,
        message: "Swarm put the previous spec back; 1 of 1 tasks running",
      },
    ],
    [
      "could not be rolled back",
      service(1, "rollback_paused"),
      [],
      {
        health: "Degraded",
        rolledBack: true,
        message: "Swarm paused while it put the previous spec back; 0 of 1 tasks running",
      },
    ],
  ])("%s", (_, shown, tasks, expected) => {
    expect(observe(shown, tasks)).toEqual(expected);
  });

  it("does not tell the values of its environment", () => {
    const leaking = task(NEW, "failed", "shutdown", "cannot start with TOKEN=hunter22");
    expect(observe(service(1), [leaking]).message).not.toContain("hunter22");
  });

  it("of the global mode wants as many tasks as Docker counts nodes", () => {
    const shown = { Spec: { TaskTemplate: NEW, Mode: { Global: {} } }, ServiceStatus: { DesiredTasks: 2 } };
    expect(observe(shown, [task(NEW, "running")])).toEqual({
      health: "Progressing",
      message: "1 of 2 tasks running",
    });
  });

  it("that is a job is judged by its present run", () => {
    const job = {
      Spec: { TaskTemplate: NEW, Mode: { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 } } },
      JobStatus: { JobIteration: { Index: 2 } },
    };
    const run = (index: number, state: string) => ({
      ...task(NEW, state, "complete"),
      JobIteration: { Index: index },
    });
    expect(observe(job, [run(1, "complete")])).toEqual({
      health: "Progressing",
      message: "0 of 1 tasks complete",
    });
    expect(observe(job, [run(1, "failed"), run(2, "complete")])).toEqual({
      health: "Healthy",
      message: "1 of 1 tasks complete",
    });
  });
});
