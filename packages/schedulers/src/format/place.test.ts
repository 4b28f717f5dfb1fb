import { encodePath, type JobFormat, jobId, targetName } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { chronosFormat } from "../chronos/format.ts";
import { marathonFormat } from "../marathon/format.ts";
import { swarmFormat } from "../swarm/format.ts";
import { fieldNamedIn } from "./place.ts";

const APP = `id: /web
cmd: run
labels:
  traefik.enable: "true"
portDefinitions:
  - port: 0
  - port: 0
    name: http
`;

const GROUP = `# the shop
id: /shop
apps:
  - id: db
    cmd: run
  - id: web
    cmd: run
    container:
      docker:
        image: web
`;

function line(format: JobFormat, text: string, id: string, path: string): number | undefined {
  const file = { path: encodePath("apps/web.yaml"), bytes: Buffer.from(text) };
  return format.place?.(file, { target: targetName("apps"), id: jobId(id), path })?.line;
}

describe("where a file says what was refused", () => {
  it.each([
    ["cmd", 2],
    ["labels.traefik.enable", 4],
    ["portDefinitions.1.name", 8],
    ["portDefinitions.1.labels", 7],
    ["container.docker.image", 1],
    ["", 1],
  ])("%s of an app", (path, expected) => {
    expect(line(marathonFormat(), APP, "/web", path)).toBe(expected);
  });

  it.each([
    ["/shop/web", "container.docker.image", 10],
    ["/shop/db", "cmd", 5],
    ["/shop/other", "cmd", undefined],
  ])("an app of a group: %s", (id, path, expected) => {
    expect(line(marathonFormat(), GROUP, id, path)).toBe(expected);
  });

  it("a job of several documents, of JSON, of Chronos and of Swarm", () => {
    expect(line(marathonFormat(), `${APP}---\nid: /api\ncmd: run\n`, "/api", "cmd")).toBe(11);
    const chronos = JSON.stringify({ name: "report", schedule: "R/x/P1D", command: "run" }, undefined, 2);
    expect(line(chronosFormat(), chronos, "report", "schedule")).toBe(3);
    const service = "Name: web\nTaskTemplate:\n  ContainerSpec:\n    Image: web\n";
    expect(line(swarmFormat(), service, "web", "TaskTemplate.ContainerSpec.Image")).toBe(4);
  });

  it("nothing, where the job or the file is not what was sent any more", () => {
    expect(line(marathonFormat(), APP, "/api", "cmd")).toBeUndefined();
    expect(line(marathonFormat(), "id: [", "/web", "cmd")).toBeUndefined();
  });
});

it("the field that a sentence names is found by its name", () => {
  const spec = { Name: "web", TaskTemplate: { ContainerSpec: { Image: "web" } } };
  expect(fieldNamedIn("ContainerSpec: image reference must be provided", spec)).toBe(
    "TaskTemplate.ContainerSpec",
  );
  expect(fieldNamedIn("nothing of it is named", spec)).toBeUndefined();
});
