import { encodePath, type JsonObject, type Problem, targetName } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { chronosFormat } from "./format.ts";

const format = chronosFormat();
const SCHEDULE = "schedule: R/2026-01-01T03:00:00Z/P1D";

function parse(text: string) {
  return format.parse({ path: encodePath("cron/job.yaml"), bytes: Buffer.from(text) }, targetName("cron"));
}

function said(problem: Problem): string {
  return `${problem.line}:${problem.key ?? ""} ${problem.message}`;
}

describe("parse", () => {
  it("makes every parent a job to wait for", () => {
    const { jobs, problems } = parse(
      "name: report\ncommand: ./report\nparents: [load, clean]\nsluice: {dependsOn: [apps/db, load]}",
    );
    expect(problems).toEqual([]);
    expect(jobs[0]?.options.dependsOn).toEqual(["apps/db", "cron/load", "cron/clean"]);
    expect(jobs[0]?.spec).toEqual({ name: "report", command: "./report", parents: ["load", "clean"] });
  });

  it.each([
    [`command: x\n${SCHEDULE}`, ["1:name is missing"]],
    [`name: a b\ncommand: x\n${SCHEDULE}`, ["1:name must be letters, digits, dots, hyphens and underscores"]],
    ["name: a\ncommand: x", ["1: the job never runs: give it a schedule or parents"]],
    [
      `name: a\ncommand: x\n${SCHEDULE}\nparents: [b]`,
      ["4:parents cannot stand beside schedule; keep one of them"],
    ],
    ["name: a\ncommand: x\nparents: []", ["3:parents must not be empty"]],
    ["name: a\ncommand: x\nparents: [a]", ["3:parents.0 a job cannot be its own parent"]],
    [`name: a\n${SCHEDULE}`, ["1:command is missing: the job has nothing to run"]],
    [
      `name: a\ncommand: x\n${SCHEDULE}\nscheduleTimeZone: Europe/Berlim`,
      ["4:scheduleTimeZone is no time zone"],
    ],
    [
      "name: a\ncommand: x\nschedule: 0 3 * * *",
      ["3:schedule must be R[n]/start/period, as in R/2026-01-01T03:00:00Z/P1D"],
    ],
    [
      `name: a\ncommand: x\n${SCHEDULE}\nretrys: 2\nenv: {A: b}`,
      ['4:retrys unknown key "retrys" (did you mean "retries"?)', '5:env unknown key "env"'],
    ],
    [`name: a\ncommand: x\n${SCHEDULE}\nretries: x`, ["4:retries must be a number, not a text"]],
    [
      `name: a\ncommand: x\n${SCHEDULE}\nconstraints: [[rack, EQUAL, a]]`,
      ['4:constraints.0.1 must be EQUALS or LIKE or UNLIKE (did you mean "EQUALS"?)'],
    ],
    [`name: a\ncommand: x\n${SCHEDULE}\ncontainer: {type: DOCKER}`, ["4:container.image is missing"]],
    [
      `name: a\ncommand: x\n${SCHEDULE}\nenvironmentVariables: [{name: SLUICE_OWNER, value: me}]`,
      ["4:environmentVariables.0.name is Sluice's own mark; leave it out"],
    ],
    [`name: a\ncommand: x\n${SCHEDULE}\nsuccessCount: 1`, ['4:successCount unknown key "successCount"']],
  ])("refuses %j", (text, expected) => {
    const { jobs, problems } = parse(text);
    expect(problems.map(said)).toEqual(expected);
    expect(jobs).toEqual([]);
  });
});

const base: JsonObject = { name: "report", command: "./report", schedule: "R/2026-01-01T03:00:00Z/P1D" };
/** What Chronos 3 shows of `base` some days later. */
const served: JsonObject = {
  ...{ name: "report", command: "./report", shell: true, executor: "", executorFlags: "", taskInfoData: "" },
  ...{ retries: 2, owner: "", ownerName: "", description: "", successCount: 4, errorCount: 0, lastError: "" },
  ...{
    lastSuccess: "2026-01-05T03:00:01.000Z",
    cpus: 0.1,
    disk: 256,
    mem: 128,
    disabled: false,
    softError: false,
  },
  ...{ dataProcessingJobType: false, errorsSinceLastSuccess: 0, fetch: [], uris: [], arguments: [] },
  ...{ highPriority: false, runAsUser: "root", concurrent: false, maxCompletionTime: 0, constraints: [] },
  environmentVariables: [{ name: "SLUICE_OWNER", value: "production" }],
  schedule: "R/2026-01-06T03:00:00.000Z/P1D",
  scheduleTimeZone: "",
};
const finished = { schedule: "R0/2026-01-04T03:00:00.000Z/P1D", disabled: true };

describe("compare", () => {
  it.each<[string, JsonObject, JsonObject]>([
    ["a job that has run", {}, {}],
    ["an answer of version 2", { epsilon: null }, { epsilon: "PT5M", async: false }],
    ["an epsilon that version 3 does not know", { epsilon: "PT1M" }, {}],
    ["resources left to the server", { cpus: 0 }, { cpus: 0.5 }],
    [
      "uris that are shown as fetch",
      { uris: ["http://x/a"] },
      {
        uris: ["http://x/a"],
        fetch: [{ uri: "http://x/a", executable: false, cache: false, extract: true }],
      },
    ],
    ["a job whose last run is over", { schedule: "R3/2026-01-01T03:00:00Z/P1D" }, finished],
    [
      "parents in another order",
      { schedule: null, parents: ["a", "b"] },
      { schedule: null, scheduleTimeZone: null, parents: ["b", "a"] },
    ],
    [
      "ports that come back as texts",
      {
        container: {
          image: "x",
          networkInfos: [{ name: "n", portMappings: [{ hostPort: 0, containerPort: 80 }] }],
        },
      },
      {
        container: {
          type: "DOCKER",
          image: "x",
          network: "HOST",
          forcePullImage: false,
          volumes: [],
          parameters: [],
          networkInfos: [
            { name: "n", portMappings: [{ hostPort: "0", containerPort: "80", protocol: "tcp" }] },
          ],
        },
      },
    ],
  ])("takes %s for the same", (_name, desired, live) => {
    expect(format.compare({ ...base, ...desired }, { ...served, ...live }, [])).toEqual([]);
  });

  it.each<[string, JsonObject, JsonObject, string[]]>([
    ["another command", { command: "./other" }, {}, ["command"]],
    ["another time of day", { schedule: "R/2026-01-01T04:00:00Z/P1D" }, {}, ["schedule"]],
    ["another time zone", { scheduleTimeZone: "Europe/Berlin" }, {}, ["schedule", "scheduleTimeZone"]],
    ["a job disabled by hand", {}, { disabled: true }, ["disabled"]],
    [
      "a variable",
      { environmentVariables: [{ name: "A", value: "1" }] },
      { environmentVariables: [{ name: "A", value: "2" }] },
      ["environmentVariables.A"],
    ],
    ["resources that are given", { cpus: 1 }, { cpus: 0.5 }, ["cpus"]],
    [
      "a scheduled job that shall be a dependent one",
      { schedule: null, parents: ["a"] },
      {},
      ["parents", "schedule"],
    ],
  ])("sees %s", (_name, desired, live, paths) => {
    const changes = format.compare({ ...base, ...desired }, { ...served, ...live }, []);
    expect(changes.map((change) => change.path).sort()).toEqual(paths);
  });

  it("reports nothing under an ignored path", () => {
    expect(format.compare(base, { ...served, disabled: true, cpus: 3 }, ["disabled"])).toEqual([]);
  });
});
