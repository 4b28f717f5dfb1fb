import type { JsonObject } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { compareServices } from "./compare.ts";

const SECOND = 1_000_000_000;

function service(template: JsonObject = {}, rest: JsonObject = {}, container: JsonObject = {}): JsonObject {
  return {
    Name: "web",
    ...rest,
    TaskTemplate: { ...template, ContainerSpec: { Image: "web:1", ...container } },
  };
}

/** The smallest spec, as Docker 20.10 shows it. */
const SHOWN = service(
  { ForceUpdate: 0, Runtime: "container" },
  {
    Labels: { "sluice/owner": "m", "sluice/spec": "f" },
    Mode: { Replicated: { Replicas: 1 } },
    EndpointSpec: { Mode: "vip" },
  },
  { Isolation: "default" },
);

describe("a service is as its file has it", () => {
  it.each<[string, JsonObject, JsonObject]>([
    ["where Docker fills in its defaults and Sluice its marks", service(), SHOWN],
    [
      "where the file names the defaults of updates",
      service(
        {},
        {
          UpdateConfig: {
            Parallelism: 1,
            Monitor: 5 * SECOND,
            FailureAction: "pause",
            Order: "stop-first",
            Delay: 0,
            MaxFailureRatio: 0,
          },
        },
      ),
      SHOWN,
    ],
    [
      "where the file names the defaults of restarts",
      service({ RestartPolicy: { Condition: "any", Delay: 5 * SECOND, MaxAttempts: 0 } }),
      SHOWN,
    ],
    ["where the file names Docker's grace period", service({}, {}, { StopGracePeriod: 10 * SECOND }), SHOWN],
    ["where somebody forced a restart", service(), service({ ForceUpdate: 3 })],
    [
      "where a client pinned the digest of the tag",
      service(),
      service({}, {}, { Image: "web:1@sha256:abc" }),
    ],
    [
      "where a client named the platforms of the image",
      service(),
      service({ Placement: { Platforms: [{ Architecture: "amd64", OS: "linux" }] } }),
    ],
    [
      "where the image has no tag",
      service({}, {}, { Image: "nginx" }),
      service({}, {}, { Image: "docker.io/library/nginx:latest" }),
    ],
    [
      "whatever the order of the environment",
      service({}, {}, { Env: ["A=1", "B=2"] }),
      service({}, {}, { Env: ["B=2", "A=1"] }),
    ],
    [
      "whatever the order of ports, which get a mode",
      service({}, { EndpointSpec: { Ports: [{ TargetPort: 1 }, { TargetPort: 2 }] } }),
      service(
        {},
        {
          EndpointSpec: {
            Mode: "vip",
            Ports: [
              { Protocol: "tcp", TargetPort: 2, PublishMode: "ingress" },
              { Protocol: "tcp", TargetPort: 1, PublishMode: "ingress" },
            ],
          },
        },
      ),
    ],
    [
      "whatever the order of constraints",
      service({ Placement: { Constraints: ["a==b", "c==d"] } }),
      service({ Placement: { Constraints: ["c==d", "a==b"] } }),
    ],
    [
      "where empty things are left out",
      service({ Networks: [], Resources: { Limits: {} } }, { Labels: {} }, { Mounts: [] }),
      SHOWN,
    ],
    ["where contents stand beside it", service({}, { configs: { "a-1": { base: "a", Data: "" } } }), SHOWN],
  ])("%s", (_, file, live) => {
    expect(compareServices(file, live, [])).toEqual([]);
  });
});

describe("a difference is named by its field", () => {
  it.each<[JsonObject, JsonObject, string, unknown, unknown]>([
    [
      service({}, {}, { Image: "web:2" }),
      service({}, {}, { Image: "web:1@sha256:abc" }),
      "TaskTemplate.ContainerSpec.Image",
      "web:1@sha256:abc",
      "web:2",
    ],
    [
      service({}, {}, { Image: "web:1@sha256:abc" }),
      service(),
      "TaskTemplate.ContainerSpec.Image",
      "web:1",
      "web:1@sha256:abc",
    ],
    [service({}, { Mode: { Replicated: { Replicas: 3 } } }), SHOWN, "Mode.Replicated.Replicas", 1, 3],
    [service({}, { Mode: { Replicated: { Replicas: 0 } } }), SHOWN, "Mode.Replicated.Replicas", 1, 0],
    [
      service({}, {}, { Env: ["LEVEL=info"] }),
      service({}, {}, { Env: ["LEVEL=debug"] }),
      "TaskTemplate.ContainerSpec.Env.LEVEL",
      "debug",
      "info",
    ],
    [service({ ForceUpdate: 2 }), service({ ForceUpdate: 1 }), "TaskTemplate.ForceUpdate", 1, 2],
    [service({ RestartPolicy: { Delay: 0 } }), service(), "TaskTemplate.RestartPolicy.Delay", 5 * SECOND, 0],
    [service({}, { UpdateConfig: { Delay: 0 } }), service(), "UpdateConfig.Parallelism", 1, 0],
    [service({}, { Labels: { team: "shop" } }), SHOWN, "Labels", undefined, { team: "shop" }],
    [
      service({ Networks: [{ Target: "a" }] }),
      service({ Networks: [{ Target: "b" }] }),
      "TaskTemplate.Networks.0.Target",
      "b",
      "a",
    ],
  ])("%#: %j", (file, live, path, from, to) => {
    expect(compareServices(file, live, [])).toEqual([{ path, ...(from === undefined ? {} : { from }), to }]);
  });

  it("but not where it is left to others", () => {
    const file = service({}, { Mode: { Replicated: { Replicas: 3 } } }, { Env: ["LEVEL=info", "A=1"] });
    const live = service({}, {}, { Env: ["LEVEL=debug", "A=2"] });
    const ignore = ["Mode.Replicated.Replicas", "TaskTemplate.ContainerSpec.Env.LEVEL"];
    expect(compareServices(file, live, ignore).map(({ path }) => path)).toEqual([
      "TaskTemplate.ContainerSpec.Env.A",
    ]);
  });

  it("and a mode that changed is one", () => {
    expect(compareServices(service({}, { Mode: { Global: {} } }), SHOWN, []).map(({ path }) => path)).toEqual(
      ["Mode.Global", "Mode.Replicated"],
    );
  });
});
