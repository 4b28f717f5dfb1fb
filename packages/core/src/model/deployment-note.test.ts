import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DeploymentNote, formatDeploymentNote, parseDeploymentNotes } from "./deployment-note.ts";
import { envName, type JobKey } from "./ids.ts";

const healthy: DeploymentNote = {
  environment: envName("production"),
  state: "healthy",
  ms: 3_100,
  at: "2026-11-21T10:00:00.000Z",
  counts: { created: 0, updated: 2, pruned: 1 },
  problems: [],
};
const degraded: DeploymentNote = {
  ...healthy,
  state: "degraded",
  ms: 302_412,
  counts: { created: 0, updated: 0, pruned: 0 },
  problems: [
    { key: "apps/shop/web" as JobKey, reason: "HealthTimeout", message: "not healthy within 5m: exit 1" },
    { key: undefined, reason: "InvalidSpec", message: "deploy.yaml:1: unknown key" },
  ],
};

describe("the note of a deployment", () => {
  it("is one line where all is well", () => {
    expect(formatDeploymentNote(healthy)).toBe(
      "production: healthy in 3.1s at 2026-11-21T10:00:00.000Z (2 updated, 1 pruned) [sluice]\n",
    );
  });

  it("has a line for each problem", () => {
    expect(formatDeploymentNote(degraded)).toBe(
      [
        "production: degraded in 302.412s at 2026-11-21T10:00:00.000Z (nothing to do) [sluice]",
        "  apps/shop/web HealthTimeout: not healthy within 5m: exit 1",
        "  InvalidSpec: deploy.yaml:1: unknown key",
        "",
      ].join("\n"),
    );
  });

  it("is read back, several of one commit in their order", () => {
    const superseded: DeploymentNote = { ...healthy, state: "superseded", ms: undefined };
    const text = [superseded, degraded, healthy].map(formatDeploymentNote).join("");
    expect(parseDeploymentNotes(text)).toEqual([superseded, degraded, healthy]);
  });

  it("lets people write between, before and after", () => {
    const text = `Looks good to me.\n${formatDeploymentNote(degraded)}\n  apps/x Healthy: said by a person\nproduction: healthy today!\n${formatDeploymentNote(healthy)}Rolled back by hand, ask Ada.\n`;
    expect(parseDeploymentNotes(text)).toEqual([degraded, healthy]);
  });

  it("is read with the line ends of another system", () => {
    expect(parseDeploymentNotes(formatDeploymentNote(degraded).replaceAll("\n", "\r\n"))).toEqual([degraded]);
  });

  it("tells how many problems it leaves out", () => {
    const problems = Array.from({ length: 23 }, (_, at) => ({
      key: `apps/${at}` as JobKey,
      reason: "Refused",
      message: "no",
    }));
    const text = formatDeploymentNote({ ...degraded, problems });
    expect(text.split("\n").at(-2)).toBe("  and 3 more");
    expect(parseDeploymentNotes(text)[0]?.problems).toEqual(problems.slice(0, 20));
  });

  it("cannot be made to say more than one thing by a job's name or message", () => {
    const text = fc.string({ unit: "binary", minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(text, fc.stringMatching(/^[ -~]{1,20}$/), (message, name) => {
        const key = `apps/x${name.replaceAll("/", "")}` as JobKey;
        const written = {
          ...degraded,
          problems: [{ key, reason: "Refused", message: `${message}${formatDeploymentNote(healthy)}` }],
        };
        const [read, ...others] = parseDeploymentNotes(formatDeploymentNote(written));
        expect(others).toEqual([]);
        expect(read?.problems.map((one) => [one.key, one.reason])).toEqual([[key, "Refused"]]);
      }),
    );
  });
});
