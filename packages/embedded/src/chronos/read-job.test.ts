import { describe, expect, it } from "vitest";
import { readJob } from "./read-job.ts";

const defaults = { cpus: 0.1, mem: 128, disk: 256, runAsUser: "me", epsilon: "PT5M" };
const read = (body: Record<string, unknown>) => readJob({ name: "a", ...body }, defaults);

describe("readJob", () => {
  it.each([
    ["schedule", { schedule: "R//P1D" }, { schedule: "R//P1D", scheduleTimeZone: "" }],
    ["neither: once, now", {}, { schedule: "R1//PT24H" }],
    ["parents, once each", { parents: ["x", "y", "x"] }, { parents: ["x", "y"] }],
    ["empty parents count too", { parents: [], schedule: "R//P1D" }, { parents: [] }],
  ])("tells the kind of job by %s", (_, body, expected) => {
    expect(read(body)).toMatchObject(expected);
  });

  it.each([
    [{ retries: "x" }, { retries: 0 }],
    [{ retries: "7" }, { retries: 7 }],
    [{ retries: 3.9 }, { retries: 3 }],
    [{ disabled: "true" }, { disabled: true }],
    [{ disabled: "yes" }, { disabled: false }],
    [{ disabled: 1 }, { disabled: true }],
    [{ description: null }, { description: "null" }],
    [{ description: 5 }, { description: "5" }],
    [{ description: ["x"] }, { description: "" }],
    [
      { cpus: 0, mem: 0, disk: 0 },
      { cpus: 0.1, mem: 128, disk: 256 },
    ],
    [{ cpus: "0.5" }, { cpus: 0.5 }],
    [{}, { shell: true, retries: 2, runAsUser: "me", concurrent: false, maxCompletionTime: 0 }],
    [
      { environmentVariables: [{ name: "A", value: 1 }] },
      { environmentVariables: [{ name: "A", value: "1" }] },
    ],
    [{ uris: "no list" }, { uris: [] }],
    [{ fetch: [{ uri: "/x" }] }, { fetch: [{ uri: "/x", executable: false, cache: false, extract: true }] }],
    [
      {
        constraints: [
          ["rack", "equals", "1"],
          ["os", "GROUP_BY", "x"],
        ],
      },
      { constraints: [["rack", "EQUALS", "1"]] },
    ],
  ])("coerces %j to %j", (body, expected) => {
    expect(read(body)).toMatchObject(expected);
  });

  it("drops unknown keys", () => {
    expect(Object.keys(read({ comand: "typo" }))).toEqual(Object.keys(read({})));
  });

  it("ignores a container without an image", () => {
    expect(read({ container: { type: "DOCKER" } })).not.toHaveProperty("container");
  });

  it("shows a container with its defaults, ports as strings", () => {
    const container = {
      image: "alpine",
      volumes: [{ hostPath: "/h", containerPath: "/c", mode: "ro" }],
      networkInfos: [{ name: "net", portMappings: [{ hostPort: 0, containerPort: 80 }] }],
    };
    expect(read({ container }).container).toEqual({
      type: "DOCKER",
      image: "alpine",
      network: "HOST",
      networkInfos: [{ name: "net", labels: [], portMappings: [{ hostPort: "0", containerPort: "80" }] }],
      volumes: [{ hostPath: "/h", containerPath: "/c", mode: "RO" }],
      forcePullImage: false,
      parameters: [],
    });
  });
});
