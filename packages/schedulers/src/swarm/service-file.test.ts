import { encodePath, targetName } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { swarmFormat } from "./format.ts";

const PROXY = `Name: proxy
TaskTemplate:
  ContainerSpec:
    Image: haproxy:2.8
    Configs: [{ ConfigName: proxy-conf, File: { Name: /haproxy.cfg, UID: "0", GID: "0", Mode: 292 } }]
configs:
  proxy-conf: { content: "defaults" }
sluice: { dependsOn: [web] }
`;

describe("a service spec", () => {
  it("is a job as the API takes it, with its contents beside it", () => {
    const { jobs, problems } = parse(PROXY);
    expect(problems).toEqual([]);
    expect(jobs).toMatchObject([{ id: "proxy", line: 1, options: { dependsOn: ["services/web"] } }]);
    expect(jobs[0]?.spec).toEqual({
      Name: "proxy",
      TaskTemplate: {
        ContainerSpec: {
          Image: "haproxy:2.8",
          Configs: [
            {
              ConfigName: "proxy-conf-0f37e81d",
              File: { Name: "/haproxy.cfg", UID: "0", GID: "0", Mode: 292 },
            },
          ],
        },
      },
      configs: { "proxy-conf-0f37e81d": { base: "proxy-conf", Data: "ZGVmYXVsdHM=" } },
    });
  });

  it.each(["HealthCheck", "Healthcheck"])("calls its %s as Docker shows it", (name) => {
    const { jobs, problems } = parse(
      `Name: web\nTaskTemplate: { ContainerSpec: { Image: a, ${name}: { Retries: 2 } } }\n`,
    );
    expect(problems).toEqual([]);
    expect(jobs[0]?.spec.TaskTemplate).toEqual({
      ContainerSpec: { Image: "a", Healthcheck: { Retries: 2 } },
    });
  });

  it("may stand in one file with Compose files", () => {
    const { jobs } = parse(`${PROXY}---\nservices: { web: { image: a }, db: { image: b } }\n`);
    expect(jobs.map(({ id }) => id)).toEqual(["proxy", "web", "db"]);
  });

  it.each([
    ["Naem: web", 'unknown key "Naem" (did you mean "Name"?)', 3],
    ["ID: abc", 'unknown key "ID"', 3],
    ["Labels: { sluice/owner: me }", "is Sluice's own mark; leave it out", 3],
    ["Mode: { Replicated: { Replicas: two } }", "must be a number, not a text", 3],
    ["Mode: { ReplicatedJob: {} }", 'must be "on-failure" or "none" for a job', 2],
    [
      "EndpointSpec: { Ports: [{ TargetPort: 1, PublishedPort: 80 }, { TargetPort: 2, PublishedPort: 80 }] }",
      "the port 80/tcp is published twice",
      3,
    ],
    [
      "EndpointSpec: { Mode: dnsrr, Ports: [{ TargetPort: 1 }] }",
      "the mode dnsrr publishes no port in ingress mode",
      3,
    ],
    [
      "secrets: { key: { content: hidden } }",
      "a secret in Git can be read by everybody who reads the deploy repo",
      3,
    ],
  ])("refuses %s at its line", (line, message, at) => {
    const { jobs, problems } = parse(`Name: web\nTaskTemplate: { ContainerSpec: { Image: a } }\n${line}\n`);
    expect(problems.map((one) => [one.message, one.line])).toEqual([[message, at]]);
    expect(jobs).toEqual([]);
  });
});

function parse(text: string) {
  const file = { path: encodePath("services/proxy.yaml"), bytes: Buffer.from(text) };
  return swarmFormat().parse(file, targetName("services"));
}
