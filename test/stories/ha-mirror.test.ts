import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BareRepo, bareRepo, type Files } from "../harness/bare-repo.ts";
import { eventually } from "../harness/eventually.ts";
import { everything, type Mirrored, readMirrored } from "../harness/mirrored.ts";
import { type RoleProcess, startRoles } from "../harness/role.ts";
import { settled } from "../harness/settled.ts";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { type ConsulCluster, startConsulCluster } from "../servers/consul-cluster.ts";

/** Twice the TTL of 10 s is what Consul may take to end a session; the lock delay of 1 s and the work come on top. */
const TAKEOVER_MS = 60_000;
const STORY_MS = 120_000;
const LEADS = /this process leads as mirror/;
const LED = /this process no longer leads as mirror/;

describeWithServer("two mirrors of one environment on three Consul servers", { consul: hasConsul() }, () => {
  let cluster: ConsulCluster;
  const toRemove: { remove(): void | Promise<void> }[] = [];

  beforeAll(async () => {
    cluster = await startConsulCluster();
  });
  afterAll(() => cluster?.stop());
  function removeAllAtTheEnd() {
    afterAll(async () => {
      await Promise.all(toRemove.splice(0).map((one) => one.remove()));
    });
  }

  function repository(): BareRepo {
    const repo = bareRepo();
    toRemove.push(repo);
    return repo;
  }

  /** A mirror of these environments, through one of the servers. */
  async function mirrorOf(environments: Record<string, BareRepo>, server: number): Promise<RoleProcess> {
    const sources = Object.entries(environments).map(([name, { folder }]) => {
      return [name, { source: { repository: folder, interval: "2s" } }];
    });
    const config = {
      consul: { address: cluster.addresses[server] },
      lock: { ttl: "10s", delay: "1s" },
      environments: Object.fromEntries(sources),
    };
    const role = await startRoles({ roles: ["mirror"], config });
    toRemove.push(role);
    return role;
  }

  /** The first leads all, the second stands by. */
  async function pair(environments: Record<string, BareRepo>, servers: readonly [number, number]) {
    const first = await mirrorOf(environments, servers[0]);
    await first.printed(LEADS, { times: Object.keys(environments).length });
    return { first, second: await mirrorOf(environments, servers[1]) };
  }

  function mirrored(server: number, environment: string, commit: string, deadlineMs = TAKEOVER_MS) {
    const ask = async () => {
      const seen = await read(server, environment);
      return seen?.synced && seen.commit === commit ? seen : undefined;
    };
    return eventually(`${environment} is mirrored at ${commit}`, ask, deadlineMs);
  }
  function read(server: number, environment: string): Promise<Mirrored | undefined> {
    return readMirrored(cluster.addresses[server] ?? "", environment);
  }

  describe.concurrent("while Consul is well", () => {
    removeAllAtTheEnd();

    it("one that is killed is replaced once its session has run out", { timeout: STORY_MS }, async () => {
      const killed = repository();
      const { first, second } = await pair({ killed }, [0, 1]);
      await mirrored(2, "killed", killed.commit({ a: "1" }));
      await first.kill();
      const since = Date.now();
      const seen = await mirrored(2, "killed", killed.commit({ b: "2" }), TAKEOVER_MS);
      console.info(`the standby wrote ${Date.now() - since} ms after kill -9 (TTL 10 s, lock delay 1 s)`);
      expect(seen.files).toEqual({ b: "2" });
      expect(second.output()).toMatch(LEADS);
    });

    it("one that stops cleanly is replaced at once, long before its session would", {
      timeout: STORY_MS,
    }, async () => {
      const stopped = repository();
      const { first, second } = await pair({ stopped }, [1, 2]);
      await mirrored(0, "stopped", stopped.commit({ a: "1" }));
      const since = Date.now();
      expect(await first.stop()).toBe(0);
      // Well below the TTL: only a lock that was handed over can be had so soon.
      const seen = await mirrored(0, "stopped", stopped.commit({ b: "2" }), 8_000);
      console.info(`the standby wrote ${Date.now() - since} ms after the leader was told to stop`);
      expect(seen.files).toEqual({ b: "2" });
      expect(second.output()).toMatch(LEADS);
    });

    it("one that slept through its session writes nothing when it wakes", { timeout: STORY_MS }, async () => {
      const [busy, idle] = [repository(), repository()];
      const { first, second } = await pair({ busy, idle }, [2, 0]);
      await mirrored(1, "idle", idle.commit({ a: "1" }));
      await mirrored(1, "busy", busy.commit({ a: "1" }));
      busy.commit(manyFiles(5_000, "of the paused"));
      await eventually("the leader is in the middle of a large revision", async () =>
        (await read(1, "busy"))?.synced === false ? true : undefined,
      );
      first.pause();
      const halfWay = await read(1, "busy");
      expect(halfWay).toMatchObject({ synced: false, digestHolds: false });

      await second.printed(LEADS, { times: 2, deadlineMs: TAKEOVER_MS });
      const commits = { busy: busy.commit({ b: "2" }), idle: idle.commit({ b: "2" }) };
      await mirrored(1, "busy", commits.busy, TAKEOVER_MS);
      await mirrored(1, "idle", commits.idle);
      // Until its events are told, the new leader itself may still be writing.
      const before = await settled(() => everything(cluster.addresses[1] ?? ""));
      first.resume();
      await first.printed(LED, { times: 2 });
      expect(await settled(() => everything(cluster.addresses[1] ?? ""))).toEqual(before);

      // It stands by again: it takes over from the one that took over.
      expect(await second.stop()).toBe(0);
      await first.printed(LEADS, { times: 4 });
      const last = await mirrored(1, "busy", busy.commit({ c: "3" }));
      expect(last.files).toEqual({ c: "3" });
    });
  });

  describe("while Consul is not", () => {
    removeAllAtTheEnd();

    it("a leader of Consul killed in the middle of syncs costs no revision its wholeness", {
      timeout: STORY_MS,
    }, async () => {
      const shop = repository();
      const pushed = new Map<string, Files>();
      const stop = new AbortController();
      const push = (files: Files) => {
        const commit = shop.commit(files);
        pushed.set(commit, files);
        return commit;
      };
      let last = push(manyFiles(200, "first"));
      await pair({ shop }, [0, 1]);
      await mirrored(2, "shop", last);
      const reader = readAllTheTime(cluster.addresses, "shop", pushed, stop.signal);
      const pushing = (async () => {
        for (let round = 0; !stop.signal.aborted; round++) {
          // Half of the revisions fit one transaction, the others take several.
          last = push(manyFiles(round % 2 ? 200 : 60, `round ${round}`));
          await reader.news();
        }
      })();
      for (let kills = 0; kills < 2; kills++) {
        await reader.sees(4);
        const leader = await cluster.leader();
        await cluster.kill(leader);
        await cluster.leader();
        await cluster.start(leader);
      }
      await reader.sees(4);
      stop.abort();
      await pushing;
      const seen = await mirrored(await cluster.leader(), "shop", last, TAKEOVER_MS);
      expect(seen.files).toEqual(pushed.get(last));
      expect(await reader.faults()).toEqual([]);
    });

    it("a leader cut off with a minority of Consul cannot write; the majority's takes over", {
      timeout: STORY_MS,
    }, async () => {
      const divided = repository();
      const minority = await cluster.leader();
      const [majority = 0, third = 0] = [0, 1, 2].filter((one) => one !== minority);
      const { first, second } = await pair({ divided }, [minority, majority]);
      await mirrored(third, "divided", divided.commit({ a: "1" }));
      await cluster.cutOff(minority);
      const since = Date.now();
      const before = await everything(cluster.addresses[minority] ?? "", "stale");
      const commit = divided.commit({ b: "2" });
      const seen = await mirrored(third, "divided", commit, TAKEOVER_MS);
      console.info(`the majority's mirror wrote ${Date.now() - since} ms after the cut`);
      expect(seen.files).toEqual({ b: "2" });
      await first.printed(LED);
      expect(second.output()).toMatch(LEADS);
      // Nothing of what the cut off leader tried is there, not even on its own server.
      expect(await everything(cluster.addresses[minority] ?? "", "stale")).toEqual(before);

      const healthy = await settled(() => everything(cluster.addresses[third] ?? ""));
      await cluster.cutOff();
      await eventually("all servers hold what the majority wrote", async () => {
        const all = await Promise.all(cluster.addresses.map((address) => everything(address, "stale")));
        return all.every((one) => JSON.stringify(one) === JSON.stringify(healthy)) ? true : undefined;
      });
      expect(first.output().match(new RegExp(LEADS, "g"))).toHaveLength(1);
    });
  });
});

function manyFiles(count: number, text: string): Files {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`d${at % 9}/f${at}`, `${at} ${text}`]));
}

/** Reads without pause from whichever server answers, and notes every revision that claims to be whole and is not. */
function readAllTheTime(
  addresses: readonly string[],
  environment: string,
  pushed: ReadonlyMap<string, Files>,
  signal: AbortSignal,
) {
  const seen: string[] = [];
  const faults: string[] = [];
  let reads = 0;
  const reading = (async () => {
    for (let turn = 0; !signal.aborted; turn++) {
      const now = await readMirrored(addresses[turn % addresses.length] ?? "", environment).catch(
        () => undefined,
      );
      // A server that is dead or has no leader tells nothing.
      if (!now) continue;
      reads += 1;
      if (!now.synced) continue;
      const whole =
        now.digestHolds &&
        JSON.stringify(sorted(now.files)) === JSON.stringify(sorted(pushed.get(now.commit)));
      if (!whole) faults.push(`${now.commit} is a mix`);
      if (seen.at(-1) !== now.commit) seen.push(now.commit);
    }
  })();
  const more = (count: number) => {
    const wanted = seen.length + count;
    return eventually(
      `${count} more revisions`,
      async () => (seen.length >= wanted || signal.aborted ? true : undefined),
      TAKEOVER_MS,
    );
  };
  return {
    /** Waits for revisions not seen before. */
    sees: more,
    news: () => more(1),
    async faults(): Promise<readonly string[]> {
      await reading;
      console.info(`${reads} reads, ${seen.length} revisions seen`);
      const order = [...pushed.keys()];
      const places = seen.map((commit) => order.indexOf(commit));
      const backwards = places.some((place, at) => at > 0 && place <= (places[at - 1] ?? -1));
      return backwards ? [...faults, `revisions were seen out of order: ${places.join(" ")}`] : faults;
    },
  };
}

function sorted(files: Files = {}): readonly (readonly [string, string])[] {
  return Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
}
