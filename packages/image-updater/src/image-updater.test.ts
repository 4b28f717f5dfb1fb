import { type EnvName, SluiceError } from "@sluice/core";
import {
  type ManualClock,
  type MemoryKv,
  manualClock,
  memoryKv,
  type RecordingSink,
  recordingSink,
} from "@sluice/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { announce } from "./announce.ts";
import { imageUpdater } from "./image-updater.ts";
import { type MemoryRepository, memoryRepository } from "./testing/memory-repository.ts";

const WEB = "registry.example:5000/shop/web";
const POLICY = `images:\n  ${WEB}:\n    policy: semver\n  shop/report:\n    policy: numeric\n    match: 'b(\\d+)'\n`;
const KEY = "sluice/images/registry.example=3A5000/shop/web";

let kv: MemoryKv;
let clock: ManualClock;
let sink: RecordingSink;
let repository: MemoryRepository;
let stop: AbortController;
let running: Promise<void>;

beforeEach(() => {
  kv = memoryKv();
  clock = manualClock();
  sink = recordingSink();
  repository = memoryRepository({
    "deploy.yaml": POLICY,
    "apps/web.yaml": `# the web\nimage: "${WEB}:1.4.1" # here\n`,
    "cron/report.json": `{"container": {"image": "shop/report:b9"}}\n`,
  });
  running = Promise.resolve();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await running;
});

function start() {
  stop = new AbortController();
  const updater = imageUpdater({
    environment: "production" as EnvName,
    source: repository.source,
    committer: repository.committer,
    kv,
    prefix: "sluice",
    clock,
    random: () => 0.5,
    events: sink,
    holder: "test",
  });
  running = updater.run(stop.signal);
}
async function crash() {
  stop.abort();
  await running;
}
/** Lets time pass until nothing is left to be done. */
async function settle() {
  for (let round = 0; round < 12; round++) await clock.advance(5_000);
}
const web = () => repository.text("apps/web.yaml");
const subjects = () => repository.commits.map(({ message }) => message.split("\n")[0]);
const told = (type: string) => sink.events.filter((event) => event.type === type);

describe("an announced image", () => {
  it("becomes a commit that says what changed from what to what, where and why", async () => {
    kv.set(KEY, JSON.stringify({ tag: "1.4.2", at: "2026-01-02T03:04:05Z", by: "build 17" }));
    start();
    await settle();
    expect(await web()).toBe(`# the web\nimage: "${WEB}:1.4.2" # here\n`);
    expect(repository.commits.map(({ message }) => message)).toEqual([
      `web: 1.4.1 → 1.4.2\n\n${WEB}: 1.4.1 → 1.4.2 (announced by build 17 at 2026-01-02T03:04:05.000Z)\n  apps/web.yaml:2\n`,
    ]);
    expect(told("image.committed")).toEqual([
      {
        type: "image.committed",
        environment: "production",
        at: expect.any(String),
        commit: repository.commits[0]?.id,
        changes: [{ image: WEB, from: "1.4.1", to: "1.4.2", places: 1 }],
      },
    ]);
  });

  it("is taken as curl writes it: a tag with a line end", async () => {
    start();
    await settle();
    kv.set(KEY, "1.4.2\n");
    await settle();
    expect(subjects()).toEqual(["web: 1.4.1 → 1.4.2"]);
  });

  it("shares one commit with the others of its round", async () => {
    kv.set(KEY, "1.4.2");
    kv.set("sluice/images/shop/report", "b10");
    start();
    await settle();
    expect(subjects()).toEqual(["report: b9 → b10, web: 1.4.1 → 1.4.2"]);
    expect(await repository.text("cron/report.json")).toBe(`{"container": {"image": "shop/report:b10"}}\n`);
  });

  it("that is older, out of order, repeated or of no image here changes nothing", async () => {
    start();
    for (const tag of ["1.4.0", "1.4.1", "1.3.9", "latest", "2.0.0-rc.1"]) {
      kv.set(KEY, tag);
      await settle();
    }
    kv.set("sluice/images/shop/other", "9.9.9");
    await settle();
    expect(subjects()).toEqual([]);
  });

  it("is not hidden by another tag of the same push", async () => {
    start();
    for (const tag of ["1.4.2", "latest", "sha-0123abc"])
      await announce({ kv, prefix: "sluice", clock }, WEB, { tag });
    await settle();
    expect(subjects()).toEqual(["web: 1.4.1 → 1.4.2"]);
    expect(told("image.refused").map((event) => "why" in event && event.why)).toEqual([
      "sha-0123abc is not used: it is no semantic version",
      "latest is not used: it is no semantic version",
    ]);
  });

  it.each([
    ["a line end and a key", "1.4.2\nevil: true"],
    ["a comment", "1.4.2 # x"],
    ["an escape", "1.4.2\u001b[31m"],
    ["129 characters", "1".repeat(129)],
    ["nothing", ""],
    ["a digest that is none", "1.4.2@sha256:xyz"],
    ["JSON of another kind", '{"tag": {"a": 1}}'],
    ["broken JSON", '{"tag": '],
  ])("with %s is refused with a reason, and others go on", async (_, value) => {
    kv.set(KEY, value);
    kv.set("sluice/images/shop/report", "b10");
    start();
    await settle();
    expect(subjects()).toEqual(["report: b9 → b10"]);
    expect(told("image.refused").map((event) => "image" in event && event.image)).toEqual([WEB]);
  });
});

describe("a burst", () => {
  it("of 1,000 tags becomes a handful of commits, the newest last", async () => {
    start();
    await settle();
    for (let build = 1; build <= 1000; build++) {
      kv.set("sluice/images/shop/report", `b${build}`);
      await clock.advance(20);
    }
    await settle();
    expect(await repository.text("cron/report.json")).toContain("b1000");
    expect(repository.commits.length).toBeGreaterThan(1);
    expect(repository.commits.length).toBeLessThanOrEqual(8);
  });
});

describe("a person's word", () => {
  async function committed(tag: string) {
    kv.set(KEY, tag);
    await settle();
  }
  const rollBack = (tag: string) => repository.push({ "apps/web.yaml": `image: ${WEB}:${tag}\n` });

  it("is respected when it goes back, until a newer version comes than the one it went back from", async () => {
    start();
    await committed("1.4.2");
    rollBack("1.4.1");
    await settle();
    expect(await web()).toContain("1.4.1");
    await crash();
    start();
    await committed("1.4.2");
    expect(await web()).toContain("1.4.1");
    expect(told("image.held").length).toBeGreaterThan(0);
    await committed("1.4.3");
    expect(subjects()).toEqual(["web: 1.4.1 → 1.4.2", "web: 1.4.1 → 1.4.3"]);
  });

  it("is respected when the crash came between the commit and what is remembered of it", async () => {
    kv.set(KEY, "1.4.2");
    repository.fault = (phase) => {
      if (phase === "after") {
        stop.abort();
        throw new Error("crash");
      }
    };
    start();
    await settle();
    await running;
    repository.fault = undefined;
    rollBack("1.4.1");
    start();
    await settle();
    expect(await web()).toContain("1.4.1");
    expect(subjects()).toEqual(["web: 1.4.1 → 1.4.2"]);
  });

  it("is respected when it wrote a newer version itself and went back from that", async () => {
    start();
    await committed("1.4.2");
    rollBack("1.6.0");
    await settle();
    rollBack("1.4.2");
    await settle();
    await committed("1.5.0");
    expect(await web()).toContain("1.4.2");
    await committed("1.6.1");
    expect(await web()).toContain("1.6.1");
  });

  it("is a pin that holds whatever is newer, in every place, and lets go when it is taken off", async () => {
    start();
    await committed("1.4.2");
    repository.push({ "deploy.yaml": `images:\n  ${WEB}: { policy: semver, pin: "1.4.0" }\n` });
    await settle();
    expect(await web()).toContain(`"${WEB}:1.4.0"`);
    await committed("1.4.3");
    expect(await web()).toContain(`"${WEB}:1.4.0"`);
    repository.push({ "deploy.yaml": POLICY });
    await settle();
    expect(await web()).toContain(`"${WEB}:1.4.3"`);
    expect(repository.commits[1]?.message).toBe(
      `web: 1.4.2 → 1.4.0\n\n${WEB}: 1.4.2 → 1.4.0 (pinned in deploy.yaml)\n  apps/web.yaml:2\n`,
    );
  });
});

describe("a race", () => {
  it("with a person's push is tried again on top of it, and nobody's change is lost", async () => {
    kv.set(KEY, "1.4.2");
    let races = 3;
    repository.fault = (phase) => {
      if (phase === "before" && races-- > 0) repository.push({ "apps/other.yaml": `race: ${races}\n` });
    };
    start();
    await settle();
    expect(subjects()).toEqual(["web: 1.4.1 → 1.4.2"]);
    expect(await repository.text("apps/other.yaml")).toBe("race: 0\n");
    expect(await web()).toContain("1.4.2");
    expect(told("images.failed")).toEqual([]);
  });

  it("that a hook refuses is told once, with the hook's words, and tried again", async () => {
    kv.set(KEY, "1.4.2");
    repository.fault = (phase) => {
      if (phase === "before")
        throw new SluiceError("GIT_REFUSED", "the repository refused the commit: not now");
    };
    start();
    await settle();
    expect(told("images.waiting").map((event) => "message" in event && event.message)).toEqual([
      "the repository refused the commit: not now",
    ]);
    repository.fault = undefined;
    await settle();
    expect(subjects()).toEqual(["web: 1.4.1 → 1.4.2"]);
  });
});

it("tells of a policy that cannot be used, and goes on with the others", async () => {
  repository.push({
    "deploy.yaml": `images:\n  ${WEB}: { policy: semver }\n  shop/report: { policy: nummeric }\n`,
  });
  kv.set(KEY, "1.4.2");
  kv.set("sluice/images/shop/report", "b10");
  start();
  await settle();
  expect(subjects()).toEqual(["web: 1.4.1 → 1.4.2"]);
  expect(
    told("images.invalid").flatMap((event) => ("problems" in event ? event.problems : [])),
  ).toMatchObject([{ file: "deploy.yaml", line: 3, key: "images.shop/report.policy" }]);
});
