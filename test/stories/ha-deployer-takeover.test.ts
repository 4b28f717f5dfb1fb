import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedMarathon, embeddedMarathon } from "@sluice/embedded";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BareRepo, bareRepo, type Files } from "../harness/bare-repo.ts";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/free-port.ts";
import { type JobWrite, jobWrites } from "../harness/job-writes.ts";
import { everything } from "../harness/mirrored.ts";
import { type RoleProcess, startRoles } from "../harness/role.ts";
import { settled } from "../harness/settled.ts";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { startConsulCluster } from "../servers/consul-cluster.ts";

const TAKEOVER_MS = 90_000;
const STORY_MS = 200_000;
const LEADS = /this process leads as deployer/;
const LED = /this process no longer leads as deployer/;
const CHANGED = ["/a0", "/a1", "/a2", "/a3", "/a4", "/a5"];
/** Writes in flight at once. */
const LANES = 4;

interface Kv {
  /** One address for each engine. */
  readonly addresses: readonly [string, string];
  stop(): Promise<unknown>;
}

async function threeServers(): Promise<Kv> {
  const cluster = await startConsulCluster();
  const [first = "", second = ""] = cluster.addresses;
  return { addresses: [first, second], stop: () => cluster.stop() };
}

async function embedded(): Promise<Kv> {
  const consulPort = await freePort();
  const role = await startRoles({ roles: ["consul"], config: { embedded: { consulPort } } });
  const address = `http://127.0.0.1:${consulPort}`;
  return { addresses: [address, address], stop: () => role.remove() };
}

describeWithServer("on three Consul servers", { consul: hasConsul() }, () => stories(threeServers));
describe("on the embedded Consul", () => stories(embedded));

function stories(start: () => Promise<Kv>): void {
  let kv: Kv;
  const toEnd: (() => unknown)[] = [];
  beforeAll(async () => {
    kv = await start();
  }, TAKEOVER_MS);
  afterAll(async () => {
    for (const end of toEnd.reverse()) await end();
    await kv?.stop();
  });

  describe.concurrent("two engines of one environment, in the middle of a rollout", () => {
    it("the leader is killed: the other one neither repeats the rollout nor forgets any of it", {
      timeout: STORY_MS,
    }, async () => {
      const world = await newWorld("killed");
      const { first, second } = await halfWay(world, (leader) => void leader.kill());
      await second.role.printed(LEADS, { deadlineMs: TAKEOVER_MS });
      await finish(world, first.writes, second.writes);
    });

    it("the leader is told to stop: the other one goes on at once", { timeout: STORY_MS }, async () => {
      const world = await newWorld("stopped");
      let stopped: Promise<number | null> | undefined;
      const { first, second } = await halfWay(world, (leader) => {
        stopped = leader.stop();
      });
      const since = Date.now();
      expect(await stopped).toBe(0);
      await second.role.printed(LEADS, { deadlineMs: 8_000 });
      console.info(`the other one led ${Date.now() - since} ms after the leader was told to stop`);
      await finish(world, first.writes, second.writes);
    });

    it("the leader sleeps past its session: awake again, it writes and sends nothing", {
      timeout: STORY_MS,
    }, async () => {
      const world = await newWorld("asleep");
      const { first, second } = await halfWay(world, (leader) => leader.pause());
      const inFlight = first.writes.length;
      await second.role.printed(LEADS, { deadlineMs: TAKEOVER_MS });
      await finish(world, first.writes, second.writes);
      const before = await settled(() => kept(world));
      first.role.resume();
      await first.role.printed(LED);
      expect(await settled(() => kept(world))).toEqual(before);
      // What was under way when it fell asleep had left it: nothing came after.
      expect(first.writes.length - inFlight).toBeLessThanOrEqual(LANES - 1);
      const asleep = first.writes.length;
      await deployed(world, world.repository.commit(revision("3")));
      expect(first.writes).toHaveLength(asleep);
    });
  });

  interface World {
    readonly name: string;
    readonly repository: BareRepo;
    readonly marathon: EmbeddedMarathon;
    /** A file: while it is away, the job `/slow` is not healthy. */
    readonly gate: string;
  }

  async function newWorld(name: string): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), "sluice-takeover-"));
    const repository = bareRepo();
    const marathon = await embeddedMarathon({ dataDir: join(folder, "marathon") });
    toEnd.push(() => rmSync(folder, { recursive: true, force: true }), repository.remove, marathon.stop);
    return { name, repository, marathon, gate: join(folder, "gate") };
  }

  /** An engine whose way to Marathon is its own, so that it shows who sends what. */
  async function engine(world: World, number: 0 | 1, onWrite?: (writes: readonly JobWrite[]) => void) {
    const way = await jobWrites(world.marathon.address, onWrite);
    toEnd.push(() => way.stop());
    const target = { type: "marathon", addresses: [way.address], concurrency: LANES };
    const role = await startRoles({
      roles: ["mirror", "deployer"],
      config: {
        consul: { address: kv.addresses[number] },
        lock: { ttl: "10s", delay: "1s" },
        environments: {
          [world.name]: {
            source: { repository: world.repository.folder, interval: "2s" },
            targets: { apps: target },
          },
        },
      },
    });
    toEnd.push(() => role.remove());
    return { role, writes: way.writes };
  }

  /**
   * The first engine is in the middle of a revision, and then something happens to it: some jobs are applied, some are not, one
   * is waited for, one waits for that one, and one is to be removed once all are healthy.
   */
  async function halfWay(world: World, happens: (leader: RoleProcess) => void) {
    let leader: RoleProcess | undefined;
    let armed = false;
    const first = await engine(world, 0, (writes) => {
      const slow = writes.some((write) => write.app === "/slow");
      const changed = writes.filter(({ version }) => version === "2").length;
      if (!armed || !leader || !slow || changed < 4) return;
      armed = false;
      happens(leader);
    });
    leader = first.role;
    await first.role.printed(LEADS);
    const second = await engine(world, 1);
    await deployed(world, world.repository.commit(revision("1")));
    armed = true;
    world.repository.commit(revision("2", world.gate));
    await eventually("it happens", async () => (armed ? undefined : true), TAKEOVER_MS);
    return { first, second };
  }

  /** Opens the gate and waits for the whole; then each job was sent its spec once, by one or the other. */
  async function finish(world: World, ...sent: (readonly JobWrite[])[]): Promise<void> {
    await eventually(
      "all but what waits is applied",
      async () => {
        const apps = await live(world);
        const there = CHANGED.every((id) => apps.get(id) === "2") && apps.get("/slow") === "2";
        // Nothing of what waits has been done.
        return there && apps.has("/old") && !apps.has("/late") ? true : undefined;
      },
      TAKEOVER_MS,
    );
    expect(existsSync(world.gate)).toBe(false);
    writeFileSync(world.gate, "");
    await deployed(world, "", { healthy: 8 });
    const apps = [...(await live(world)).entries()].sort();
    expect(apps).toEqual([...CHANGED, "/late", "/slow"].map((id) => [id, "2"]).sort());
    const counts = new Map<string, number>();
    for (const { method, app, version } of sent.flat())
      if (version !== "1" && version !== "3")
        counts.set(`${method} ${app}`, (counts.get(`${method} ${app}`) ?? 0) + 1);
    expect([...counts].sort()).toEqual(
      [
        ...CHANGED.map((id) => [`PUT ${id}`, 1]),
        ["DELETE /old", 1],
        ["POST /late", 1],
        ["POST /slow", 1],
      ].sort(),
    );
  }

  async function live({ marathon }: World): Promise<Map<string, string>> {
    const answer = await fetch(`${marathon.address}/v2/apps`);
    const { apps } = (await answer.json()) as { apps: { id: string; env: { VERSION: string } }[] };
    return new Map(apps.map(({ id, env }) => [id, env.VERSION]));
  }

  function deployed({ name }: World, commit: string, counts: object = {}): Promise<unknown> {
    const ask = async () => {
      const answer = await fetch(`${kv.addresses[1]}/v1/kv/sluice/${name}/deployment?raw`);
      if (!answer.ok) return undefined;
      const now = (await answer.json()) as {
        applied?: string;
        state: string;
        counts: Record<string, number>;
      };
      const asTold = Object.entries(counts).every(([key, value]) => now.counts[key] === value);
      return now.state === "healthy" && now.applied?.endsWith(commit) && asTold ? true : undefined;
    };
    return eventually(`${commit} is deployed`, ask, TAKEOVER_MS);
  }

  /** What is kept of this environment alone: the stories run side by side. */
  async function kept({ name }: World) {
    const all = Object.entries(await everything(kv.addresses[1]));
    return all.filter(([key]) => key.startsWith(`sluice/${name}/`) || key.includes(`locks/${name}/`));
  }
}

function revision(version: string, gate?: string): Files {
  const job = (id: string, more: object = {}) =>
    JSON.stringify({ id, cmd: "exec sleep 600", cpus: 0.1, mem: 16, env: { VERSION: version }, ...more });
  const files = Object.fromEntries(CHANGED.map((id) => [`apps${id}.json`, job(id)]));
  if (gate === undefined) return { ...files, "apps/old.json": job("/old") };
  const check = {
    protocol: "COMMAND",
    command: { value: `test -f ${gate}` },
    gracePeriodSeconds: 300,
    intervalSeconds: 1,
    timeoutSeconds: 5,
  };
  return {
    ...files,
    "apps/slow.json": job("/slow", { healthChecks: [check] }),
    "apps/late.json": job("/late", { sluice: { dependsOn: ["apps/slow"] } }),
  };
}
