import { expect, it } from "vitest";
import { SluiceError } from "../errors.ts";
import { envName } from "../model/ids.ts";
import { emitterFor } from "../ports/event-sink.ts";
import { manualClock } from "../testing/manual-clock.ts";
import { recordingSink } from "../testing/recording-sink.ts";
import { missingRules } from "./missing-rules.ts";

it("tells of each missing rule once, and of nothing else", () => {
  const sink = recordingSink();
  const onError = missingRules(emitterFor(envName("production"), sink, manualClock()), "mirror");
  onError(new SluiceError("KV_DENIED", "no rule for a"));
  onError(new SluiceError("KV_DENIED", "no rule for a"));
  onError(new SluiceError("KV_FILTERED", "no rule for b"));
  onError(new SluiceError("KV_UNREACHABLE", "nobody there"));
  onError(new Error("anything"));
  const told = sink.of("rule.missing").map(({ role, code, message }) => [role, code, message]);
  expect(told).toEqual([
    ["mirror", "KV_DENIED", "no rule for a"],
    ["mirror", "KV_FILTERED", "no rule for b"],
  ]);
});
