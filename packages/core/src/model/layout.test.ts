import { expect, it } from "vitest";
import { commitId, envName, type JobKey } from "./ids.ts";
import { type KvLayout, kvLayout } from "./layout.ts";
import { encodePath } from "./path.ts";

const SHA = commitId("0".repeat(40));
const KEY = "apps/shop/web café" as JobKey;

function everyKey(layout: KvLayout): string[] {
  return [
    layout.files,
    layout.file(encodePath("apps/a b.yaml")),
    layout.revision,
    layout.changes,
    layout.change(SHA),
    layout.deployment,
    layout.statuses,
    layout.status(KEY),
    layout.inventories,
    layout.inventory(KEY),
    layout.events,
    layout.imageMarks,
    layout.control("suspend"),
    layout.lock("mirror"),
  ];
}

it("puts everything of an environment under its own name, and its locks beside the environments", () => {
  expect(everyKey(kvLayout("sluice/", envName("staging")))).toEqual([
    "sluice/staging/files/",
    "sluice/staging/files/apps/a=20b.yaml",
    "sluice/staging/revision",
    "sluice/staging/changes/",
    `sluice/staging/changes/${SHA}`,
    "sluice/staging/deployment",
    "sluice/staging/status/",
    "sluice/staging/status/apps/shop/web=20caf=C3=A9",
    "sluice/staging/inventory/",
    "sluice/staging/inventory/apps/shop/web=20caf=C3=A9",
    "sluice/staging/events",
    "sluice/staging/image-marks",
    "sluice/staging/control/suspend",
    "sluice/locks/staging/mirror",
  ]);
});

it.each(["sluice", "/sluice/", "sluice//"])("reads the prefix %s as sluice/", (prefix) => {
  expect(everyKey(kvLayout(prefix, envName("a")))).toEqual(everyKey(kvLayout("sluice/", envName("a"))));
});

it.each(["", "/"])("begins no key with a slash where the prefix is %j", (prefix) => {
  const layout = kvLayout(prefix, envName("a"));
  expect(layout.revision).toBe("a/revision");
  expect(layout.lock("mirror")).toBe("locks/a/mirror");
  expect(everyKey(layout).filter((key) => key.startsWith("/"))).toEqual([]);
});

it("shares no key and no prefix with a sibling whose name begins alike", () => {
  const one = kvLayout("sluice/", envName("cfg"));
  const other = kvLayout("sluice/", envName("cfg2"));
  const prefixes = [one.files, one.changes, one.statuses, one.inventories];
  expect(everyKey(other).filter((key) => prefixes.some((prefix) => key.startsWith(prefix)))).toEqual([]);
  expect(everyKey(one).filter((key) => everyKey(other).includes(key))).toEqual([]);
});

it("has the images beside the environments, the same for all of them", () => {
  const layouts = ["staging", "production"].map((name) => kvLayout("sluice/", envName(name)));
  for (const { images, image } of layouts)
    expect([images, image("registry.test:5000/shop/web")]).toEqual([
      "sluice/images/",
      "sluice/images/registry.test=3A5000/shop/web",
    ]);
});

it("keeps the prefixes of one environment apart", () => {
  const layout = kvLayout("sluice/", envName("cfg"));
  const prefixes = [layout.files, layout.changes, layout.statuses, layout.inventories];
  for (const key of [
    layout.revision,
    layout.deployment,
    layout.events,
    layout.control("x"),
    layout.lock("y"),
  ])
    expect(prefixes.filter((prefix) => key.startsWith(prefix))).toEqual([]);
});
