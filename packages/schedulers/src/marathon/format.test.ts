import { encodePath, type Problem, targetName } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { marathonFormat } from "./format.ts";

const format = marathonFormat();
const target = targetName("apps");

function parse(text: string) {
  return format.parse({ path: encodePath("apps/web.yaml"), bytes: Buffer.from(text) }, target);
}

/** `line:key message`, as a person reads it. */
function said(problem: Problem): string {
  return `${problem.line}:${problem.key ?? ""} ${problem.message}`;
}

describe("parse", () => {
  it("reads an app, and takes off what only Sluice reads", () => {
    const { jobs, problems } = parse(
      "# web\nid: /shop/web\ncmd: sleep 1\nlabels:\nsluice:\n  dependsOn: [db, ./shop/db, /shop/cache, cron/report]\n  wait: 1m30s\n  ignore: [instances]\n  prune: never\n  onFailure: rollback\n  owner: shop\n  adopt: true\n",
    );
    expect(problems).toEqual([]);
    expect(jobs).toEqual([
      {
        id: "shop/web",
        spec: { id: "/shop/web", cmd: "sleep 1" },
        line: 2,
        options: {
          dependsOn: ["apps/db", "apps/shop/db", "apps/shop/cache", "cron/report"],
          waitMs: 90_000,
          onFailure: "rollback",
          prune: "never",
          ignore: ["instances"],
          owner: "shop",
          adopt: true,
        },
      },
    ]);
  });

  it("reads `wait: false` as not waiting", () => {
    expect(parse("id: web\ncmd: sleep 1\nsluice: {wait: false}").jobs[0]?.options.waitMs).toBe(0);
  });

  it("reads one job per document, and keeps the good ones beside the bad", () => {
    const { jobs, problems } = parse("id: a\ncmd: sleep 1\n---\nid: b\n---\nid: c\nargs: [x]\n");
    expect(jobs.map((job) => [job.id, job.line])).toEqual([
      ["a", 1],
      ["c", 6],
    ]);
    expect(problems.map(said)).toEqual(["4: the app has nothing to run: give cmd, args, or a container"]);
  });

  it("reports every problem of a file, in the order of its lines", () => {
    const { problems } = parse(
      "id: web\ninstance: 2\ncmd: sleep 1\nenv:\n  PORT: 8080\nmem: -1\ncontainer:\n  docker:\n    imag: nginx\nsluice:\n  dependson: [db]\n",
    );
    expect(problems.map(said)).toEqual([
      '2:instance unknown key "instance" (did you mean "instances"?)',
      "5:env.PORT must be a text or a mapping",
      "6:mem must be at least 0",
      "8:container.docker.image is missing",
      '9:container.docker.imag unknown key "imag" (did you mean "image"?)',
      '11:sluice.dependson unknown key "dependson" (did you mean "dependsOn"?)',
    ]);
    expect(problems[1]).toEqual({
      file: "apps/web.yaml",
      line: 5,
      column: 3,
      key: "env.PORT",
      reason: "InvalidSpec",
      message: "must be a text or a mapping",
      hint: "put the value in quotes",
    });
  });

  it.each([
    ["", ": the file holds no job"],
    ["# nothing\n", ": the file holds no job"],
    ["[1]", "1: a job is a mapping of keys to values"],
    ["id: a\n\tcmd: x", "2: Tabs are not allowed as indentation"],
  ])("makes no job of %j, and says why", (text, expected) => {
    const { jobs, problems } = parse(text);
    expect(jobs).toEqual([]);
    expect(problems.map(said)[0]?.replace("undefined", "")).toContain(expected);
  });

  it.each([
    [
      "id: Shop/web",
      "1:id must be path segments of lower-case letters, digits, inner hyphens and dots, as in shop/web",
    ],
    [
      "id: ../web",
      "1:id must be path segments of lower-case letters, digits, inner hyphens and dots, as in shop/web",
    ],
    [
      "id: shop//web",
      "1:id must be path segments of lower-case letters, digits, inner hyphens and dots, as in shop/web",
    ],
    ["id: shop/tasks", "1:id must not end in restart, tasks or versions, which are routes of Marathon"],
    ["cmd: sleep 1", "1:id is missing"],
  ])("refuses the id of %j", (text, expected) => {
    const rest = text.includes("cmd") ? "" : "\ncmd: sleep 1";
    expect(parse(text + rest).problems.map(said)).toEqual([expected]);
  });

  it.each([
    ["cmd: x", "2:cmd must be at least 2 characters long"],
    ["cmd: sleep 1\nargs: [a]", "3:args cannot stand beside cmd; keep one of them"],
    ["cmd: [a]", "2:cmd must be a text, not a list"],
    [
      "container: {type: DOCKER}",
      "2:container.docker is missing: a DOCKER container needs container.docker.image",
    ],
    [
      "cmd: sleep 1\nupgradeStrategy: {minimumHealthCapacity: 1}",
      "3:upgradeStrategy.maximumOverCapacity is missing",
    ],
    [
      "cmd: sleep 1\nupgradeStrategy: {minimumHealthCapacity: 2, maximumOverCapacity: 0}",
      "3:upgradeStrategy.minimumHealthCapacity must be at most 1",
    ],
    ["cmd: sleep 1\ninstances: 1.5", "3:instances must be a whole number, not a fraction"],
    [
      "cmd: sleep 1\nuris: [a]\nfetch: [{uri: b}]",
      "3:uris is the deprecated form of fetch and cannot stand beside it",
    ],
    [
      "cmd: sleep 1\nconstraints: [[hostname, unique]]",
      '3:constraints.0 has the unknown operator unique (did you mean "UNIQUE"?)',
    ],
    ["cmd: sleep 1\nconstraints: [[hostname, MAX_PER, 2]]", "3:constraints.0.2 must be a text, not a number"],
    [
      "cmd: sleep 1\nnetworks: [{mode: container/bridge}]\nportDefinitions: [{port: 0}]",
      "4:portDefinitions goes with host networking only",
    ],
    [
      "cmd: sleep 1\nportDefinitions: [{port: 80}, {port: 80}]",
      "3:portDefinitions.1.port is given twice: 80",
    ],
    [
      "cmd: sleep 1\nhealthChecks: [{portIndex: 1}]",
      "3:healthChecks.0.portIndex must be the place of a port, counted from 0; the app has 1",
    ],
    [
      "cmd: sleep 1\nhealthChecks: [{protocol: COMMAND}]",
      "3:healthChecks.0.command is missing: a COMMAND check needs command.value",
    ],
    ["cmd: sleep 1\nreadinessChecks: [{portName: web}]", "3:readinessChecks.0.portName no port is named web"],
    ["cmd: sleep 1\nlabels: {sluice/owner: me}", "3:labels.sluice/owner is Sluice's own mark; leave it out"],
    [
      "cmd: sleep 1\ninstances: 2\nlabels: {MARATHON_SINGLE_INSTANCE_APP: 'true'}",
      "3:instances must be at most 1 with the label MARATHON_SINGLE_INSTANCE_APP",
    ],
    [
      "cmd: sleep 1\nunreachableStrategy: {inactiveAfterSeconds: 5, expungeAfterSeconds: 1}",
      "3:unreachableStrategy.inactiveAfterSeconds must not be more than expungeAfterSeconds",
    ],
    ["cmd: sleep 1\ndependencies: [../db]", "3:dependencies.0 must be an absolute path, as in /shop/db"],
    ["cmd: sleep 1\nversion: x", '3:version unknown key "version"'],
    [
      "cmd: sleep 1\nsluice: {wait: 90}",
      '3:sluice.wait must be false or a duration with its unit, such as "90s", "2m" or "1h30m"',
    ],
    ["cmd: sleep 1\nsluice: {dependsOn: [Shop/db]}", "3:sluice.dependsOn.0 is no job"],
    [
      "cmd: sleep 1\nsluice: {ignore: [instance]}",
      '3:sluice.ignore.0 no field of the job is named "instance" (did you mean "instances"?)',
    ],
    ["cmd: sleep 1\nsluice: {onFailure: undo}", "3:sluice.onFailure must be hold or rollback"],
  ])("refuses %j", (text, expected) => {
    expect(parse(`id: web\n${text}`).problems.map(said)).toEqual([expected]);
  });

  it("never repeats an environment value in a problem", () => {
    const { problems } = parse(
      "id: web\ncmd: sleep 1\nenv:\n  TOKEN: [hunter2]\n  OTHER: {secrets: hunter2}\n",
    );
    expect(problems.length).toBeGreaterThan(1);
    expect(JSON.stringify(problems)).not.toContain("hunter2");
  });
});
