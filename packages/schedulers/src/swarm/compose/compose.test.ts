import { encodePath, type JsonObject, targetName } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { swarmFormat } from "../format.ts";

const SHOP = `
name: shop
x-sluice: { wait: 90s, owner: shop }
x-common: &common
  logging: { driver: local, options: { max-file: 3 } }
services:
  db:
    image: postgres:16
    volumes: ["data:/var/lib/postgresql/data"]
    secrets: [password]
    deploy: { placement: { constraints: ["node.role == manager"] } }
  web:
    <<: *common
    image: shop/web:1.4.2
    command: httpd -f -p "80"
    environment: { LEVEL: info, RETRIES: 3, PRICE: "5$$" }
    depends_on: [db]
    ports:
      - "8080:80"
      - { target: 443, published: 8443, mode: host }
    networks: { default: , front: { aliases: [www] } }
    configs:
      - { source: page, target: /www/index.html, mode: 0440 }
    healthcheck: { test: wget -q localhost, interval: 10s, timeout: 1m30s, retries: 3 }
    stop_grace_period: 20s
    deploy:
      replicas: 2
      labels: [team=shop]
      update_config: { order: start-first, failure_action: rollback, delay: 5s }
      resources: { limits: { cpus: "0.5", memory: 64M } }
      restart_policy: { condition: on-failure, max_attempts: 3 }
    x-sluice: { ignore: [deploy.replicas], owner: web-team }
configs:
  page: { content: "hello" }
secrets:
  password: { external: true, name: shop-password-2 }
networks:
  front: { external: true }
volumes:
  data: { driver: local, driver_opts: { type: tmpfs } }
`;

describe("a Compose file", () => {
  it("is a job for each of its services, named after the stack", () => {
    const { jobs, problems } = parse(SHOP);
    expect(problems).toEqual([]);
    expect(jobs.map(({ id, line }) => [id, line])).toEqual([
      ["shop_db", 7],
      ["shop_web", 12],
    ]);
    expect(jobs[1]?.options).toMatchObject({
      dependsOn: ["services/shop_db"],
      waitMs: 90_000,
      owner: "web-team",
      ignore: ["Mode.Replicated.Replicas"],
    });
  });

  it("becomes what the Engine API takes", () => {
    const [db, web] = parse(SHOP).jobs;
    const stack = { "com.docker.stack.namespace": "shop" };
    const made = {
      Driver: "overlay",
      Attachable: false,
      Internal: false,
      EnableIPv6: false,
      Options: {},
      Labels: stack,
    };
    expect(web?.spec).toEqual({
      Name: "shop_web",
      Labels: { team: "shop", ...stack },
      Mode: { Replicated: { Replicas: 2 } },
      UpdateConfig: { Parallelism: 1, Delay: 5e9, FailureAction: "rollback", Order: "start-first" },
      TaskTemplate: {
        Resources: { Limits: { NanoCPUs: 5e8, MemoryBytes: 64 * 1024 * 1024 } },
        RestartPolicy: { Condition: "on-failure", MaxAttempts: 3 },
        ContainerSpec: {
          Image: "shop/web:1.4.2",
          Labels: stack,
          Args: ["httpd", "-f", "-p", "80"],
          Env: ["LEVEL=info", "RETRIES=3", "PRICE=5$"],
          StopGracePeriod: 20e9,
          Healthcheck: {
            Test: ["CMD-SHELL", "wget -q localhost"],
            Interval: 10e9,
            Timeout: 90e9,
            Retries: 3,
          },
          Configs: [
            {
              ConfigName: "shop_page-2cf24dba",
              File: { Name: "/www/index.html", UID: "0", GID: "0", Mode: 0o440 },
            },
          ],
        },
        Networks: [
          { Target: "shop_default", Aliases: ["web"] },
          { Target: "front", Aliases: ["www", "web"] },
        ],
        LogDriver: { Name: "local", Options: { "max-file": "3" } },
      },
      EndpointSpec: {
        Ports: [
          { Protocol: "tcp", TargetPort: 80, PublishedPort: 8080, PublishMode: "ingress" },
          { Protocol: "tcp", TargetPort: 443, PublishedPort: 8443, PublishMode: "host" },
        ],
      },
      networks: { shop_default: made },
      configs: { "shop_page-2cf24dba": { base: "shop_page", Data: "aGVsbG8=", Labels: stack } },
    });
    expect((db?.spec.TaskTemplate as JsonObject | undefined)?.ContainerSpec).toEqual({
      Image: "postgres:16",
      Labels: stack,
      Mounts: [
        {
          Type: "volume",
          Source: "shop_data",
          Target: "/var/lib/postgresql/data",
          VolumeOptions: { DriverConfig: { Name: "local", Options: { type: "tmpfs" } } },
        },
      ],
      Secrets: [
        { SecretName: "shop-password-2", File: { Name: "password", UID: "0", GID: "0", Mode: 0o444 } },
      ],
    });
  });

  it("without a name names its services as they are called, and joins no network by itself", () => {
    const [job] = parse("services:\n  web:\n    image: a\n").jobs;
    expect(job?.id).toBe("web");
    expect(job?.spec.TaskTemplate).toEqual({ ContainerSpec: { Image: "a" } });
  });

  it.each([
    ["build: .", 'services.web.build: Swarm does not know "build"'],
    ["restart: always", 'services.web.restart: Swarm does not know "restart"'],
    ["env_file: .env", 'services.web.env_file: Swarm does not know "env_file"'],
    ["comand: x", 'services.web.comand: unknown key "comand" (did you mean "command"?)'],
    ["command: 'a \"b'", "services.web.command: has a quote that is not closed"],
    [
      "ports: ['127.0.0.1:80:80']",
      "services.web.ports.0: Swarm publishes ports on every address of a node; leave the address out",
    ],
    ["ports: ['80:81:82']", 'services.web.ports.0: must be a port such as "8080:80" or "53:53/udp"'],
    ["ports: ['80-81:80-82']", "services.web.ports.0: its two ranges have not the same length"],
    ["ports: ['80:80', '80:81']", "services.web.ports: the port 80/tcp is published twice"],
    [
      "volumes: ['./html:/www']",
      "services.web.volumes.0: a bind mount needs an absolute path of the node; for files of your own use configs",
    ],
    ["volumes: ['data:/www']", "services.web.volumes.0: there is no volume data below the file's volumes"],
    ["networks: [front]", "services.web.networks.0: there is no network front below the file's networks"],
    ["configs: [page]", "services.web.configs.0: there is no page below the file's configs"],
    ["depends_on: [db]", "services.web.depends_on.0: there is no service db in this file"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of Compose
    ["environment: ['A=${HOST}']", "services.web.environment.0: names the variable HOST, which nothing sets"],
    ["deploy: { replicas: two }", "services.web.deploy.replicas: must be a number, not a text"],
    [
      "deploy: { labels: { sluice/owner: me } }",
      "services.web.deploy.labels: is Sluice's own mark; leave it out",
    ],
    ["stop_grace_period: 10", "services.web.stop_grace_period: must be a text, not a number"],
    [
      "x-sluice: { wait: 10 }",
      'services.web.x-sluice.wait: must be false or a duration with its unit, such as "90s", "2m" or "1h30m"',
    ],
    [
      "x-sluice: { ignore: [replicas] }",
      'services.web.x-sluice.ignore.0: no field of the job is named "replicas"',
    ],
  ])("refuses %s at its line, and keeps the other services", (line, message) => {
    const { jobs, problems } = parse(
      `services:\n  web:\n    image: a\n    ${line}\n  other:\n    image: b\n`,
    );
    expect(problems.map((one) => [one.line, `${one.key}: ${one.message}`])).toEqual([[4, message]]);
    expect(jobs.map(({ id }) => id)).toEqual(["other"]);
  });

  it.each([
    ["configs: { page: { file: ./page.html } }", "configs.page: needs `content`, or `external: true`"],
    ["secrets: { key: { file: ./key } }", "secrets.key: needs `external: true`"],
    [
      "secrets: { key: { content: hidden } }",
      "secrets.key.content: a secret in Git can be read by everybody who reads the deploy repo",
    ],
    ["sluice: { wait: 5s }", 'sluice: unknown key "sluice"'],
  ])("refuses %s for the whole file", (line, message) => {
    const { jobs, problems } = parse(`services:\n  web:\n    image: a\n${line}\n`);
    expect(problems.map((one) => [one.line, `${one.key}: ${one.message}`])).toEqual([[4, message]]);
    expect(jobs).toEqual([]);
  });

  it("takes a secret in the clear where the file agrees to it, under a name that holds its hash", () => {
    const [job] = parse(
      "services:\n  web: { image: a, secrets: [key] }\nsecrets:\n  key: { content: hidden, x-sluice: { inClear: true } }\n",
    ).jobs;
    expect(job?.spec.secrets).toEqual({ "key-e564b408": { base: "key", Data: "aGlkZGVu", Labels: {} } });
  });

  it("is a new wish wherever a config's content changes, and no other", () => {
    const file = (text: string) =>
      `services:\n  web: { image: a, configs: [page] }\nconfigs:\n  page: { content: ${text} }\n`;
    const [one, other] = [file("one"), file("two")].map((text) => parse(text).jobs[0]?.spec ?? {});
    expect(swarmFormat().compare(one ?? {}, one ?? {}, [])).toEqual([]);
    expect(swarmFormat().compare(other ?? {}, one ?? {}, [])).toEqual([
      { path: "TaskTemplate.ContainerSpec.Configs.0.ConfigName", from: "page-7692c3ad", to: "page-3fc4ccfe" },
    ]);
  });
});

function parse(text: string) {
  const file = { path: encodePath("services/shop.yaml"), bytes: Buffer.from(text) };
  return swarmFormat().parse(file, targetName("services"));
}
