import { SluiceError } from "@sluice/core";
import type { Balancer, RunningSlot } from "../balancer/balancer.ts";
import type { ConfigFile } from "../config-file.ts";

/** A configuration language of two words, for the balancer below. */
export const FAKE_TEMPLATE = `structure {{ config }}
{% for route in routes %}backend {{ route.name }} {{ route.hosts | join: "," }}{{ route.path }}
{% for slot in route.slots %}server {{ slot.name }} {{ slot.address }} {{ slot.port }} {{ slot.weight }} {{ slot.enabled }}
{% endfor %}{% endfor %}`;

type Call = "check" | "reload" | "loaded" | "applyServers" | "readServers";

export interface FakeBalancer extends Balancer {
  /** Every call that changed something, in order. */
  readonly log: string[];
  /** Asked before each call: true makes it fail. */
  fault: (call: Call) => boolean;
  /** Words which a file it takes does not hold, and those with which it does not come to work. */
  refuses: RegExp | undefined;
  crashes: RegExp | undefined;
  /** Begins to run by what the file holds; where it runs already, as it does after it was ended and started. */
  start(): void;
  end(): void;
  /** `<address>:<port>` of the servers that get traffic, by backend. */
  ready(): Record<string, string[]>;
}

/** A balancer in memory with the file it reads. */
export function fakeBalancer(): { readonly balancer: FakeBalancer; readonly file: ConfigFile } {
  const texts = { now: undefined as string | undefined, next: "", before: undefined as string | undefined };
  let running: { structure: string; slots: Map<string, RunningSlot[]> } | undefined;

  function about(call: Call) {
    if (balancer.fault(call)) throw new SluiceError("BALANCER_FAILED", `told to fail ${call}`);
  }
  const balancer: FakeBalancer = {
    log: [],
    fault: () => false,
    refuses: undefined,
    crashes: undefined,
    start() {
      running = parse(texts.now ?? "");
    },
    end() {
      running = undefined;
    },
    ready() {
      const entries = [...(running?.slots ?? [])].map(([name, slots]) => {
        const places = slots.filter(({ state }) => state === "ready").map((s) => `${s.address}:${s.port}`);
        return [name, places.sort()];
      });
      return Object.fromEntries(entries);
    },
    async check() {
      about("check");
      const found = balancer.refuses?.exec(texts.next);
      return { refusal: found ? `it does not like ${found[0]}` : undefined };
    },
    async reload(structure) {
      about("reload");
      if (!running || balancer.crashes?.test(texts.now ?? ""))
        throw new SluiceError("BALANCER_FAILED", "it does not come to work");
      running = parse(texts.now ?? "");
      balancer.log.push(`reload ${running.structure === structure ? "" : "of something else"}`.trim());
    },
    async loaded() {
      about("loaded");
      return running && { structure: running.structure };
    },
    async readServers() {
      about("readServers");
      return running?.slots ?? new Map();
    },
    async applyServers(backends) {
      let count = 0;
      for (const { route, slots } of backends)
        for (const { name, server, draining } of slots) {
          about("applyServers");
          const all = running?.slots.get(route.name) ?? [];
          const at = all.findIndex((slot) => slot.name === name);
          if (at < 0) throw new SluiceError("BALANCER_FAILED", `no server ${route.name}/${name}`);
          const state = server ? (draining ? "drain" : "ready") : "maint";
          const { address = "127.0.0.1", port = 1, weight = 1 } = server ?? {};
          const next: RunningSlot = { name, address, port, weight, state };
          if (JSON.stringify(next) !== JSON.stringify(all[at])) count += 1;
          all[at] = next;
        }
      if (count > 0) balancer.log.push(`servers ${count}`);
      return count;
    },
  };
  const file: ConfigFile = {
    read: async () => texts.now,
    async stage(text) {
      texts.next = text;
      return "next";
    },
    async replace() {
      texts.before = texts.now;
      texts.now = texts.next;
    },
    async restore() {
      texts.now = texts.before;
    },
    setAside: async () => undefined,
  };
  return { balancer, file };
}

function parse(text: string): { structure: string; slots: Map<string, RunningSlot[]> } {
  const slots = new Map<string, RunningSlot[]>();
  let backend = "";
  for (const [word = "", name = "", address = "", port, weight, enabled] of text
    .split("\n")
    .map((line) => line.split(" "))) {
    if (word === "backend") slots.set(name, []);
    if (word === "backend") backend = name;
    if (word !== "server") continue;
    const state = enabled === "true" ? "ready" : "maint";
    slots.get(backend)?.push({ name, address, port: Number(port), weight: Number(weight), state });
  }
  return { structure: /^structure (\S+)$/m.exec(text)?.[1] ?? "none", slots };
}
