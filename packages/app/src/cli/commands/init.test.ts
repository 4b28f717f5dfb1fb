import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseConfig } from "../../config/load.ts";
import { configSchema } from "../../config/schema.ts";
import { init } from "./init.ts";

let folder: string;
let text: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-init-"));
  const out = () => undefined;
  const signal = new AbortController().signal;
  await init(".", { cwd: folder, env: {}, out, err: out, signal, tty: false });
  text = await readFile(join(folder, "sluice.yaml"), "utf8");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("writes a configuration that says the defaults", () => {
  expect(parseConfig(Buffer.from(text), "sluice.yaml")).toEqual(configSchema.parse({}));
});

it("names every block there is but the fine tuning, and each is right as soon as it is taken up", () => {
  const takenUp = text.replaceAll(/^(\s*)#(?=\S| {2})/gm, "$1");
  const config = parseConfig(Buffer.from(takenUp), "sluice.yaml");
  const left = Object.keys(configSchema.shape).filter((name) => !new RegExp(`^${name}:`, "m").test(takenUp));
  expect(left.sort()).toEqual(["embedded", "limits", "lock", "prefix"]);
  expect(Object.keys(config.environments.production?.targets ?? {})).toEqual(["apps", "cron", "services"]);
});
