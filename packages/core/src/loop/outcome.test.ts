import { describe, expect, it } from "vitest";
import { AGAIN, OK, type Outcome, runSteps, type Step, stalled, wait } from "./outcome.ts";

type Context = { readonly ran: string[] };

function step(name: string, outcome: Outcome = OK): Step<Context> {
  return ({ ran }) => {
    ran.push(name);
    return outcome;
  };
}

describe("runSteps", () => {
  it("runs every step in order and ends ok", async () => {
    const context: Context = { ran: [] };
    const later: Step<Context> = async ({ ran }) => {
      await Promise.resolve();
      ran.push("later");
      return OK;
    };
    expect(await runSteps([step("a"), later, step("b")], context, new AbortController().signal)).toEqual(OK);
    expect(context.ran).toEqual(["a", "later", "b"]);
  });

  it.each([AGAIN, wait("Locked", "busy", 100), stalled("Refused", "no")])(
    "ends with the first %j",
    async (outcome) => {
      const context: Context = { ran: [] };
      const result = await runSteps(
        [step("a"), step("b", outcome), step("c")],
        context,
        new AbortController().signal,
      );
      expect(result).toBe(outcome);
      expect(context.ran).toEqual(["a", "b"]);
    },
  );

  it("throws what a step throws, and runs no further", async () => {
    const context: Context = { ran: [] };
    const broken: Step<Context> = () => Promise.reject(new Error("lost"));
    await expect(runSteps([broken, step("b")], context, new AbortController().signal)).rejects.toThrow(
      "lost",
    );
    expect(context.ran).toEqual([]);
  });

  it("gives each step the signal, and throws its reason before the next step", async () => {
    const context: Context = { ran: [] };
    const controller = new AbortController();
    const stop: Step<Context> = (_context, signal) => {
      controller.abort(new Error("enough"));
      expect(signal).toBe(controller.signal);
      return OK;
    };
    await expect(runSteps([stop, step("b")], context, controller.signal)).rejects.toThrow("enough");
    expect(context.ran).toEqual([]);
  });
});

it("an outcome says why it waits or is stalled", () => {
  expect(wait("Locked", "busy", 5)).toEqual({
    kind: "wait",
    reason: "Locked",
    message: "busy",
    retryInMs: 5,
  });
  expect(stalled("Refused", "no")).toEqual({ kind: "stalled", reason: "Refused", message: "no" });
});
