import { isSluiceError, type RefusedField, SluiceError } from "@sluice/core";
import { afterEach, expect, it } from "vitest";
import { dryRun } from "../dry-run.ts";
import { toyFormat } from "../testing/toy-format.ts";
import { job, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

const FILE = "# the web\nid: web\nimage: none\nports:\n  - 1\n";
const FIELDS: readonly RefusedField[] = [
  { path: "image", words: "image: no such image" },
  { path: "ports.0", words: "ports.0: is taken" },
  { path: "", words: "the job: is too much" },
];

/** A scheduler that refuses everything, naming these fields. */
function refusing(fields: readonly RefusedField[]) {
  w = world();
  w.apps.fault = (call) => (call === "apply" ? "SCHEDULER_INVALID" : undefined);
  const { apply } = w.apps;
  w.apps.apply = (request, signal) =>
    apply(request, signal).catch((error: unknown) => {
      if (!isSluiceError(error)) throw error;
      const words = fields.map((one) => one.words).join("; ");
      throw new SluiceError(error.code, `refused: ${words}`, { fields });
    });
}

const SAID =
  "refused: apps/web.yaml:3: image: no such image; apps/web.yaml:5: ports.0: is taken; apps/web.yaml:2: the job: is too much";

it("what the scheduler refused is told with the file's line, by field, in the status and in the plan", async () => {
  refusing(FIELDS);
  w.mirror.push({ "apps/web.yaml": FILE });
  w.start();
  await w.until(() => w.status("apps/web")?.reason === "Refused");
  expect(w.status("apps/web")?.message).toBe(SAID);
  const { kv, clock } = w;
  const targets = new Map([["apps" as never, { format: toyFormat, scheduler: w.apps }]]);
  const options = { environment: "test" as never, mark: "sluice-test", prefix: "sluice/", random: () => 0 };
  const { plan } = await dryRun({ ...options, kv, clock, targets }, new AbortController().signal);
  expect(plan.refused).toMatchObject([
    {
      key: "apps/web",
      reason: "HeldAfterFailure",
      message: `this spec failed before; change it in Git, or run \`sluice sync --retry\` (${SAID})`,
    },
  ]);
});

it("a file that is another one by now is not asked: the job's own line stands for all", async () => {
  refusing([{ path: "image", words: "image: no" }]);
  const { apply } = w.apps;
  w.apps.apply = (request, signal) => {
    w.kv.set(w.layout.file("apps/web.yaml" as never), "# one line more\nid: web\nimage: none\n");
    return apply(request, signal);
  };
  w.mirror.push({ "apps/web.yaml": "id: web\nimage: none\n" });
  w.start();
  await w.until(() => w.status("apps/web")?.reason === "Refused");
  expect(w.status("apps/web")?.message).toBe("refused: apps/web.yaml:1: image: no");
});

it("what names no field is told as it is", async () => {
  refusing([]);
  w.mirror.push({ "apps/web.yaml": job("web") });
  w.start();
  await w.until(() => w.status("apps/web")?.reason === "Refused");
  expect(w.status("apps/web")?.message).toBe("refused: ");
});
