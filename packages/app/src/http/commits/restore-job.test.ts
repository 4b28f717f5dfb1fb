import { encodePath, type JobKey } from "@sluice/core";
import { marathonFormat } from "@sluice/schedulers";
import { describe, expect, it } from "vitest";
import { restoreJob } from "./restore-job.ts";

const key = "apps/b" as JobKey;
const path = encodePath("apps/x.yaml");
const app = (id: string, instances: number, more = "") =>
  `id: /${id}\ncmd: sleep 1 # ${id}\ninstances: ${instances}\n${more}`;

function restored(now: string | undefined, model: string): string {
  const file = (text: string) => ({ path, bytes: Buffer.from(text) });
  const options = {
    format: marathonFormat(),
    key,
    now: now === undefined ? undefined : file(now),
    model: file(model),
  };
  return Buffer.from(restoreJob(options).bytes).toString("utf8");
}

describe("taking one job over", () => {
  it("takes the whole file, comments included, where the job is alone in it", () => {
    const model = `# why\n${app("b", 1)}`;
    expect(restored(app("b", 2), model)).toBe(model);
    expect(restored(undefined, model)).toBe(model);
  });

  it("leaves the other documents of the file as they are, to the letter", () => {
    const now = `${app("a", 5, "# of a\n")}---\n${app("b", 2)}--- # c\n${app("c", 7)}`;
    const model = `---\n${app("b", 1, "# of b\n")}---\n${app("a", 1)}`;
    expect(restored(now, model)).toBe(
      `${app("a", 5, "# of a\n")}---\n${app("b", 1, "# of b\n")}--- # c\n${app("c", 7)}`,
    );
  });

  it("puts a job that is gone at the end of the file it was in", () => {
    expect(restored(app("a", 5), `${app("a", 1)}---\n${app("b", 1)}`)).toBe(
      `${app("a", 5)}---\n${app("b", 1)}`,
    );
  });

  it("takes only its own document where the file is gone", () => {
    expect(restored(undefined, `${app("a", 1)}---\n${app("b", 1)}`)).toBe(app("b", 1));
  });

  it.each([
    ["it is the same", app("b", 1), `# other words\n${app("b", 1)}`, /is as it was there already/],
    ["it did not exist", app("b", 1), app("a", 1), /does not exist there; to remove it, delete its file/],
    ["its file was broken", app("b", 1), "id: [", /had a problem there/],
    [
      "jobs of one document cannot be told apart",
      `id: /\napps:\n${["a", "b"].map((id) => `  - { id: /${id}, cmd: now }\n`).join("")}`,
      `id: /\napps:\n${["a", "b"].map((id) => `  - { id: /${id}, cmd: model }\n`).join("")}`,
      /shares its file with other jobs and cannot be taken over alone/,
    ],
  ])("refuses where %s", (_, now, model, message) => {
    expect(() => restored(now, model)).toThrow(message);
  });
});
