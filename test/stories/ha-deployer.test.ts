import { afterAll, beforeAll, expect, it } from "vitest";
import { type BareRepo, bareRepo, type Files } from "../harness/bare-repo.ts";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/free-port.ts";
import { everything } from "../harness/mirrored.ts";
import { type RecordingProxy, recordingProxy } from "../harness/recording-proxy.ts";
import { type RoleProcess, startRoles } from "../harness/role.ts";
import { settled } from "../harness/settled.ts";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { type RealConsul, startRealConsul } from "../servers/consul.ts";

const TAKEOVER_MS = 60_000;
const STORY_MS = 120_000;
const JOBS = 8;
const LEADS = /this process leads as deployer/;

describeWithServer("two deployers of one environment", { consul: hasConsul() }, () => {
  let consul: RealConsul;
  let repository: BareRepo;
  let marathon: string;
  let mirror: RoleProcess;
  const toEnd: (() => unknown)[] = [];

  beforeAll(async () => {
    consul = (await startRealConsul()) as RealConsul;
    repository = bareRepo();
    const marathonPort = await freePort();
    marathon = `http://127.0.0.1:${marathonPort}`;
    mirror = await startRoles({
      roles: ["marathon", "mirror"],
      config: config({ type: "marathon" }, { embedded: { marathonPort } }),
    });
  });
  afterAll(async () => {
    for (const end of toEnd.reverse()) await end();
    // Stopped rather than killed: the apps are processes of this machine.
    await mirror?.stop();
    await mirror?.remove();
    repository?.remove();
    await consul?.stop();
  });

  function config(target: object, more: object = {}) {
    return {
      consul: { address: consul.address },
      lock: { ttl: "10s", delay: "1s" },
      environments: {
        production: {
          source: { repository: repository.folder, interval: "2s" },
          targets: { apps: target },
        },
      },
      ...more,
    };
  }
  /** A deployer whose way to Marathon is its own, so that it shows who sends what. */
  async function deployer(
    onWrite?: (count: number) => void,
  ): Promise<{ role: RoleProcess; sent: RecordingProxy }> {
    const sent = await recordingProxy(marathon, onWrite);
    toEnd.push(() => sent.stop());
    const target = { type: "marathon", addresses: [sent.address], concurrency: 1 };
    const role = await startRoles({ roles: ["deployer"], config: config(target) });
    toEnd.push(() => role.remove());
    return { role, sent };
  }
  function deployed(commit: string): Promise<true> {
    const ask = async () => {
      const answer = await fetch(`${consul.address}/v1/kv/sluice/production/deployment?raw`);
      if (!answer.ok) return undefined;
      const { applied = "", state } = (await answer.json()) as { applied?: string; state: string };
      return state === "healthy" && applied.endsWith(commit) ? true : undefined;
    };
    return eventually(`${commit} is deployed`, ask, TAKEOVER_MS);
  }

  it("one that slept through its session sends nothing to the scheduler when it wakes", {
    timeout: STORY_MS,
  }, async () => {
    let asleep: RoleProcess | undefined;
    const first = await deployer((count) => {
      if (count === 3) asleep?.pause();
    });
    asleep = first.role;
    await first.role.printed(LEADS);
    const second = await deployer();
    const commit = repository.commit(jobs("1"));
    await eventually("the leader is in the middle of its work", async () =>
      first.sent.writes.length === 3 ? true : undefined,
    );
    const since = Date.now();
    await second.role.printed(LEADS, { deadlineMs: TAKEOVER_MS });
    console.info(`the standby led ${Date.now() - since} ms after the leader fell asleep`);
    await deployed(commit);
    expect(first.sent.writes).toEqual(Array(3).fill("POST /v2/apps"));

    const before = await settled(() => everything(consul.address));
    first.role.resume();
    await first.role.printed(/this process no longer leads as deployer/);
    expect(await settled(() => everything(consul.address))).toEqual(before);
    // It would have something to send, were it to lead.
    await deployed(repository.commit(jobs("2")));
    expect(first.sent.writes).toHaveLength(3);

    // And it stands by: it goes on when the other one stops.
    expect(await second.role.stop()).toBe(0);
    await first.role.printed(LEADS, { times: 2 });
    await deployed(repository.commit(jobs("3")));
    expect(first.sent.writes).toHaveLength(3 + JOBS);
  });
});

function jobs(version: string): Files {
  return Object.fromEntries(
    Array.from({ length: JOBS }, (_, at) => [
      `apps/job-${at}.json`,
      JSON.stringify({
        id: `/job-${at}`,
        cmd: "exec sleep 600",
        env: { VERSION: version },
      }),
    ]),
  );
}
