import { type JobKey, revisionOf, type TargetName } from "@sluice/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Delivery } from "../channels/channel.ts";
import { COMMIT } from "../testing/notices.ts";
import {
  changed,
  deploymentOf,
  failedStatus,
  finished,
  type TestChannel,
  testChannel,
  type World,
  world,
} from "../testing/world.ts";

const REVISION = revisionOf("main", COMMIT);
const MINUTE = 60_000;

let all: World;
let mail: TestChannel;
let chat: TestChannel;
let stop: () => Promise<void>;

beforeEach(async () => {
  all = world();
  [mail, chat] = [testChannel(), testChannel()];
  stop = all.start({ mail, chat });
  await all.passes(0);
});
afterEach(() => stop());

const down = (name: string) =>
  all.happens({ type: "target.failed", target: name as TargetName, code: "X", message: name });
const titles = (channel: TestChannel) => channel.taken.map(({ target }) => target);
const waiting = (channel: string) => Object.keys(all.kv.dump(`sluice/notices/outbox/${channel}/`)).length;

describe("a channel that does not take messages", () => {
  it("delays no other, not even one that never answers", async () => {
    mail.answer = () => new Promise<Delivery>(() => undefined);
    for (const name of ["a", "b"]) down(name);
    await all.passes(1_000);
    expect([titles(mail), titles(chat)]).toEqual([[], ["a", "b"]]);
    expect([waiting("mail"), waiting("chat")]).toEqual([2, 0]);
    mail.answer = () => ({ kind: "sent" });
  });

  it("is told once, asked again ever less often, and told to take them again", async () => {
    let asked = 0;
    mail.answer = () => {
      asked += 1;
      return { kind: "later", why: "no answer" };
    };
    down("a");
    await all.passes(10 * MINUTE);
    expect(asked).toBeGreaterThan(5);
    expect(asked).toBeLessThan(14);
    expect(all.sink.of("channel.failed")).toMatchObject([{ channel: "mail", message: "no answer" }]);
    mail.answer = () => ({ kind: "sent" });
    await all.passes(20 * MINUTE);
    expect(titles(mail)).toEqual(["a"]);
    expect(all.sink.of("channel.recovered")).toMatchObject([{ channel: "mail" }]);
    expect(waiting("mail")).toBe(0);
  });

  it("is not asked before the time it names", async () => {
    mail.answer = () => ({ kind: "later", why: "429", retryAfterMs: 10 * MINUTE });
    for (const name of ["a", "b"]) down(name);
    await all.passes(MINUTE);
    mail.answer = () => ({ kind: "sent" });
    await all.passes(8 * MINUTE);
    expect(titles(mail)).toEqual([]);
    await all.passes(3 * MINUTE);
    expect(titles(mail)).toEqual(["a", "b"]);
  });

  it("for a day has its messages given up, with a word about each", async () => {
    mail.answer = () => ({ kind: "later", why: "no answer" });
    down("a");
    await all.passes(23 * 60 * MINUTE);
    expect(all.sink.of("notice.given-up")).toEqual([]);
    await all.passes(2 * 60 * MINUTE);
    expect(all.sink.of("notice.given-up")).toMatchObject([
      { channel: "mail", title: "production: the target a does not answer", why: "no answer" },
    ]);
    expect([waiting("mail"), titles(chat)]).toEqual([0, ["a"]]);
  });

  it("for long keeps the newest messages", async () => {
    await stop();
    stop = all.start({ mail }, { mostWaiting: 30 });
    await all.passes(0);
    mail.answer = () => ({ kind: "later", why: "no answer" });
    for (let at = 0; at < 40; at++) down(`t${at}`);
    await all.passes(MINUTE);
    expect(waiting("mail")).toBe(30);
    expect(all.sink.of("notice.given-up").map(({ title }) => title)).toEqual(
      Array.from({ length: 10 }, (_, at) => `production: the target t${at} does not answer`),
    );
  });
});

describe("a message", () => {
  it("that is refused is given up at once, and the next is sent", async () => {
    mail.answer = ({ target }) =>
      target === "a" ? { kind: "refused", why: "answered 400" } : { kind: "sent" };
    for (const name of ["a", "b"]) down(name);
    await all.passes(1_000);
    expect(titles(mail)).toEqual(["b"]);
    expect(all.sink.of("notice.given-up")).toMatchObject([
      { channel: "mail", why: "answered 400", attempts: 1 },
    ]);
    expect(waiting("mail")).toBe(0);
  });

  it("that a channel has no words for is done with", async () => {
    mail.answer = () => ({ kind: "skipped" });
    down("a");
    await all.passes(1_000);
    expect([waiting("mail"), titles(chat)]).toEqual([0, ["a"]]);
    expect(all.sink.of("notice.given-up")).toEqual([]);
  });

  it("of a deployment never overtakes an earlier one of it", async () => {
    mail.answer = ({ kind }) =>
      kind === "deployment.started" ? { kind: "later", why: "no" } : { kind: "sent" };
    all.happens({ type: "deployment.started", revision: REVISION });
    all.happens(finished(deploymentOf(REVISION)));
    down("a");
    await all.passes(MINUTE);
    expect(mail.taken.map(({ kind }) => kind)).toEqual(["target.failed"]);
    mail.answer = () => ({ kind: "sent" });
    await all.passes(10 * MINUTE);
    expect(mail.taken.map(({ kind }) => kind)).toEqual([
      ...["target.failed", "deployment.started", "deployment.healthy"],
    ]);
  });

  it("that was sent is not sent again where that cannot be written down", async () => {
    let broken = false;
    mail.answer = () => {
      broken = true;
      return { kind: "sent" };
    };
    all.kv.fault = (call) => (broken && call === "commit" ? "KV_UNREACHABLE" : undefined);
    down("a");
    await all.passes(MINUTE);
    broken = false;
    all.kv.fault = undefined;
    await all.passes(5 * MINUTE);
    expect([titles(mail), waiting("mail")]).toEqual([["a"], 0]);
  });
});

it("messages are sent no faster than a channel may be written to", async () => {
  await stop();
  stop = all.start({ mail }, { channels: [{ name: "mail", channel: mail, perMinute: 2 }] });
  for (const name of ["a", "b", "c", "d"]) down(name);
  await all.passes(35_000);
  expect(titles(mail)).toEqual(["a", "b"]);
  await all.passes(60_000);
  expect(titles(mail)).toEqual(["a", "b", "c", "d"]);
});

it("who is told what is the routes' to say", async () => {
  await stop();
  stop = all.start(
    { mail, chat },
    {
      routes: [
        { to: ["mail"], owners: ["shop"], severity: "warning" },
        { to: ["chat"], events: ["target.*"], environments: ["prod*"] },
      ],
    },
  );
  await all.passes(0);
  for (const [name, owner] of [
    ["a", "shop"],
    ["b", "other"],
  ] as const)
    all.happens(changed(failedStatus(`apps/${name}` as JobKey, REVISION, { owner })));
  down("apps");
  await all.passes(15_000);
  expect(mail.taken.map(({ kind, jobs }) => [kind, jobs.map(({ key }) => key)])).toEqual([
    ["job.failed", ["apps/a"]],
  ]);
  expect(chat.taken.map(({ kind }) => kind)).toEqual(["target.failed"]);
});
