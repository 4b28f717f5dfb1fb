import { encodePath, type Problem, targetName } from "@sluice/core";
import { expect, it } from "vitest";
import { marathonFormat } from "./format.ts";

const SHOP = `
id: /shop
dependencies: [/platform/dns]
sluice: {owner: shop, wait: 2m, ignore: [instances]}
apps:
  - id: gateway
    cmd: gateway
    dependencies: [web]
    sluice: {wait: false}
groups:
  - id: backend
    dependencies: [../data]
    apps:
      - {id: api, cmd: api}
      - {id: /shop/backend/jobs, cmd: jobs, dependencies: [./api, /elsewhere/queue]}
  - id: data
    sluice: {prune: never}
    apps: [{id: db, cmd: db}]
`;

function parse(text: string) {
  const path = encodePath("apps/shop.yaml");
  return marathonFormat().parse({ path, bytes: Buffer.from(text) }, targetName("apps"));
}

function said({ line, key, message, hint }: Problem): string {
  return `${line}:${key ?? ""} ${message}${hint ? ` (${hint})` : ""}`;
}

it("makes a job of every app of a group, with absolute ids and dependencies, its line, and what it inherits", () => {
  const { jobs, problems } = parse(SHOP);
  expect(problems).toEqual([]);
  const seen = jobs.map(({ id, spec, line, options }) => ({
    ...{ id, line, spec, after: options.dependsOn },
    options: [options.owner, options.waitMs, options.prune, options.ignore.join()],
  }));
  const dns = "/platform/dns";
  expect(seen).toEqual([
    {
      ...{ id: "shop/gateway", line: 6, after: [], options: ["shop", 0, "auto", "instances"] },
      spec: { id: "/shop/gateway", cmd: "gateway", dependencies: ["/shop/web", dns] },
    },
    {
      ...{ id: "shop/backend/api", line: 14, options: ["shop", 120_000, "auto", "instances"] },
      after: ["apps/shop/data/db"],
      spec: { id: "/shop/backend/api", cmd: "api", dependencies: [dns, "/shop/data"] },
    },
    {
      ...{ id: "shop/backend/jobs", line: 15, options: ["shop", 120_000, "auto", "instances"] },
      after: ["apps/shop/backend/api", "apps/shop/data/db"],
      spec: {
        ...{ id: "/shop/backend/jobs", cmd: "jobs" },
        dependencies: ["/shop/backend/api", "/elsewhere/queue", dns, "/shop/data"],
      },
    },
    {
      ...{ id: "shop/data/db", line: 18, after: [], options: ["shop", 120_000, "never", "instances"] },
      spec: { id: "/shop/data/db", cmd: "db", dependencies: [dns] },
    },
  ]);
});

it("reads a group at the root, and several documents beside it", () => {
  const { jobs, problems } = parse("id: /\napps: [{id: a, cmd: sleep}]\n---\nid: b\ncmd: sleep\n");
  expect([jobs.map((job) => job.id), problems]).toEqual([["a", "b"], []]);
});

it("keeps the good apps of a group beside a bad one, which it shows at its line", () => {
  const { jobs, problems } = parse(
    "id: shop\napps:\n- id: a\n  cmd: sleep\n- id: b\n  cmd: sleep\n  instance: 2\n",
  );
  expect(jobs.map((job) => job.id)).toEqual(["shop/a"]);
  expect(problems.map(said)).toEqual([
    '7:apps.1.instance unknown key "instance" (did you mean "instances"?)',
  ]);
});

const APPS = "apps: [{id: a, cmd: sleep}]";

it.each([
  [
    `id: shop\n${APPS}\nversion: x`,
    '3:version unknown key "version" of a group (this is an order to go back, not a description; `sluice rollback` does it in Git)',
  ],
  [
    `id: shop\n${APPS}\nscaleBy: 2`,
    '3:scaleBy unknown key "scaleBy" of a group (this is an order, not a description: write the number of instances each app has)',
  ],
  [
    `id: shop\n${APPS}\npods: []`,
    `3:pods unknown key "pods" of a group (a group's definition holds no pods: write each in a document of its own)`,
  ],
  [
    `id: shop\n${APPS}\ndependencie: []`,
    '3:dependencie unknown key "dependencie" of a group (did you mean "dependencies"?)',
  ],
  ["id: shop\napps: []", "1: the group holds no app (delete the file to remove its apps)"],
  ["id: shop\ngroups: {}", "2:groups must be a list"],
  ["id: shop\napps: [a]", "2:apps.0 must be a mapping"],
  [APPS, "1:id is missing"],
  ["id: shop\napps: [{cmd: sleep}]", "2:apps.0.id is missing"],
  ["id: shop\napps: [{id: /other/a, cmd: sleep}]", "2:apps.0.id must be directly in its group /shop"],
  ["id: shop\napps: [{id: b/a, cmd: sleep}]", "2:apps.0.id must be directly in its group /shop"],
  [`id: shop\ngroups: [{id: /db, ${APPS}}]`, "2:groups.0.id must be directly in its group /shop"],
  [
    `id: shop\n${APPS}\ndependencies: [Db]`,
    "3:dependencies.0 must be the path of an app or a group, as in /shop/db",
  ],
  [
    "id: shop\napps: [{id: a, cmd: sleep, dependencies: [/shop]}]",
    "2:apps.0.dependencies /shop/a cannot depend on /shop, which holds it",
  ],
  [
    `id: shop\n${APPS}\nsluice: {wait: 90}`,
    '3:sluice.wait must be false or a duration with its unit, such as "90s", "2m" or "1h30m"',
  ],
])("refuses %j, and reads no job of it", (text, expected) => {
  const { jobs, problems } = parse(text);
  expect([problems.map(said), jobs]).toEqual([[expected], []]);
});
