import { EVERY_ENVIRONMENT, type SluiceEvent } from "@sluice/core";
import { manualClock, memoryKv } from "@sluice/core/testing";
import { expect, it } from "vitest";
import { readEventLog } from "./event-log.ts";
import { noticeLog } from "./notice-log.ts";

const KEY = "sluice/notices/events/engine";
const stamp = { environment: EVERY_ENVIRONMENT, at: "2026-01-01T00:00:00.000Z" };
const failed = (node: string): SluiceEvent => ({
  type: "registrar.failed",
  node,
  code: "X",
  message: "m",
  ...stamp,
});

function open(kv = memoryKv()) {
  const clock = manualClock();
  const errors: unknown[] = [];
  const log = noticeLog({
    kv,
    prefix: "sluice",
    clock,
    random: () => 0.5,
    onError: (error) => errors.push(error),
  });
  const nodes = async () =>
    readEventLog(await kv.get(KEY)).map(({ seq, event }) => [seq, "node" in event ? event.node : ""]);
  const settled = () => clock.advance(60_000);
  return { kv, clock, errors, log, nodes, settled };
}

it("events without a log of their own are kept in order, and no others", async () => {
  const { log, nodes, settled } = open();
  log.emit(failed("a"));
  log.emit({ type: "leader.elected", role: "router", ...stamp });
  log.emit(failed("b"));
  await settled();
  log.emit(failed("c"));
  await settled();
  expect(await nodes()).toEqual([
    [1, "a"],
    [2, "b"],
    [3, "c"],
  ]);
});

it("what two processes write at once is all kept", async () => {
  const kv = memoryKv();
  const [one, two] = [open(kv), open(kv)];
  for (const name of ["a", "b", "c"]) {
    one.log.emit(failed(name));
    two.log.emit(failed(name.toUpperCase()));
    for (let turn = 0; turn < 20; turn++) {
      await one.settled();
      await two.settled();
    }
  }
  const written = (await one.nodes()).map(([, node]) => node).sort();
  expect(written).toEqual(["A", "B", "C", "a", "b", "c"]);
});

it("a KV that fails loses nothing; where it goes on failing that is told once", async () => {
  const { kv, clock, log, nodes, errors } = open();
  kv.fault = () => "KV_UNREACHABLE";
  log.emit(failed("a"));
  for (let turn = 0; turn < 100; turn++) await clock.advance(10_000);
  expect(errors).toMatchObject([{ code: "KV_UNREACHABLE" }]);
  kv.fault = undefined;
  log.emit(failed("b"));
  for (let turn = 0; turn < 5; turn++) await clock.advance(10_000);
  expect(await nodes()).toEqual([
    [1, "a"],
    [2, "b"],
  ]);
});

it("ends although the KV does not answer", async () => {
  const { kv, log, errors } = open();
  kv.fault = () => "KV_UNREACHABLE";
  log.emit(failed("a"));
  await log.close();
  expect(errors).toMatchObject([{ code: "KV_UNREACHABLE" }]);
});

it("the newest 256 are kept, and places are never used again", async () => {
  const { log, nodes, settled } = open();
  for (let at = 0; at < 300; at++) {
    log.emit(failed(`${at}`));
    if (at % 100 === 99) await settled();
  }
  await settled();
  const kept = await nodes();
  expect([kept.length, kept.at(0), kept.at(-1)]).toEqual([256, [45, "44"], [300, "299"]]);
});
