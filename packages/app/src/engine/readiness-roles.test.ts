import { EVERY_ENVIRONMENT, type EventBody, envName, type SluiceEvent } from "@sluice/core";
import { manualClock } from "@sluice/core/testing";
import { expect, it } from "vitest";
import { roleReadiness } from "./readiness-roles.ts";
import type { Role } from "./roles.ts";

function setUp(...roles: Role[]) {
  const clock = manualClock();
  const ready = roleReadiness({ roles: new Set(roles), clock });
  const emit = (body: EventBody, environment = EVERY_ENVIRONMENT) =>
    ready.sink.emit({ ...body, environment, at: new Date(clock.now()).toISOString() } as SluiceEvent);
  return { ready, clock, emit };
}

const DOCKER_AWAY: EventBody = {
  type: "registrar.failed",
  node: "host-1",
  code: "ENGINE_UNREACHABLE",
  message: "could not list the containers of the Docker engine at unix:///var/run/docker.sock: ENOENT",
};
const NO_BALANCER: EventBody = {
  type: "router.failed",
  code: "BALANCER_FAILED",
  message: "the load balancer does not run; its file is written",
};

it("a service of this machine is not ready before its first look, and says what keeps it", () => {
  const { ready, emit } = setUp("registrar", "router");
  expect(ready.problems()).toEqual([
    "the registrar does not work yet: its first look is not done yet",
    "the router does not work yet: its first look is not done yet",
  ]);
  emit(DOCKER_AWAY);
  emit(NO_BALANCER);
  expect(ready.problems()).toEqual([
    "the registrar does not work yet: could not list the containers of the Docker engine at unix:///var/run/docker.sock: ENOENT",
    "the router does not work yet: the load balancer does not run; its file is written",
  ]);
  emit({ type: "registrar.recovered", node: "host-1" });
  ready.looked({ service: "registrar", node: "host-1", services: 0 });
  expect(ready.problems()).toEqual([
    "the router does not work yet: the load balancer does not run; its file is written",
  ]);
});

it("one that has worked may fail for a minute", async () => {
  const { ready, emit, clock } = setUp("registrar");
  ready.looked({ service: "registrar", node: "host-1", services: 0 });
  emit(DOCKER_AWAY);
  await clock.advance(60_000);
  expect(ready.problems()).toEqual([]);
  await clock.advance(1_000);
  expect(ready.problems()).toEqual([
    expect.stringMatching(/^the registrar has been failing for .*: could not list/),
  ]);
  emit({ type: "registrar.recovered", node: "host-1" });
  expect(ready.problems()).toEqual([]);
});

it.each<[Role, EventBody, EventBody, string]>([
  [
    "build-trigger",
    { type: "builds.failed", code: "KV_DENIED", message: "denied" },
    { type: "builds.recovered" },
    "the build trigger of shop",
  ],
  [
    "image-updater",
    { type: "images.failed", code: "GIT_FAILED", message: "denied" },
    { type: "leader.lost", role: "image-updater" },
    "the image updater of shop",
  ],
])(
  "the %s is not ready when it fails for long, until it goes on or another leads",
  async (role, bad, good, who) => {
    const { ready, emit, clock } = setUp(role);
    emit(bad, envName("shop"));
    await clock.advance(61_000);
    expect(ready.problems()).toEqual([expect.stringContaining(`${who} has been failing for `)]);
    emit(good, envName("shop"));
    expect(ready.problems()).toEqual([]);
  },
);

it("a process without a role says nothing of it", async () => {
  const { ready, emit, clock } = setUp("mirror");
  emit(DOCKER_AWAY);
  await clock.advance(61_000);
  expect(ready.problems()).toEqual([]);
});
