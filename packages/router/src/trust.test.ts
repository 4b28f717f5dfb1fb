import { describe, expect, it } from "vitest";
import type { Backend } from "./render.ts";
import { trust } from "./trust.ts";

const backend = (name: string, host = `${name}.example.org`): Backend => ({
  route: {
    service: name,
    name,
    mode: "http",
    hosts: [host],
    path: undefined,
    port: undefined,
    check: undefined,
    sticky: false,
  },
  slots: [],
});
const told = (backends: readonly Backend[]) => backends.map(({ route }) => `${route.name} ${route.hosts[0]}`);

describe("what is offered to the balancer", () => {
  it("is everything at first", () => {
    expect(trust().offer([backend("a"), backend("b")], 0)).toEqual([backend("a"), backend("b")]);
  });

  it("is what worked before, where the new one is refused, until some time has passed", () => {
    const known = trust();
    known.worked([backend("a")]);
    expect(known.refuse(backend("a", "new.example.org"), 0)).toBe(true);
    expect(told(known.offer([backend("a", "new.example.org")], 1))).toEqual(["a a.example.org"]);
    expect(told(known.offer([backend("a", "other.example.org")], 1))).toEqual(["a other.example.org"]);
    expect(told(known.offer([backend("a", "new.example.org")], 300_000))).toEqual(["a new.example.org"]);
    expect(known.refuse(backend("a", "new.example.org"), 300_000)).toBe(false);
    expect(told(known.offer([backend("a", "new.example.org")], 600_000))).toEqual(["a a.example.org"]);
  });

  it("gives nobody's place to one that worked there before", () => {
    const known = trust();
    known.worked([backend("a", "shop.example.org")]);
    known.refuse(backend("a", "bad.example.org"), 0);
    const offered = known.offer([backend("a", "bad.example.org"), backend("b", "shop.example.org")], 1);
    expect(told(offered)).toEqual(["b shop.example.org"]);
  });

  it.each([1, 2, 5, 16])("becomes everything but the one at fault among %i that are new", (count) => {
    const known = trust();
    const old = ["x", "y"].map((name) => backend(name));
    known.worked(old);
    const all = [...old, ...Array.from({ length: count }, (_, at) => backend(`n${at}`))];
    const bad = `n${count - 1}`;
    let attempts = 0;
    for (let found = false; !found || known.offer(all, 0).length < all.length - 1; attempts++) {
      const offered = known.offer(all, 0);
      expect(told(offered)).toEqual(expect.arrayContaining(told(old)));
      if (offered.some(({ route }) => route.name === bad)) {
        const guilty = known.failed(offered, 0);
        found ||= guilty !== undefined;
        if (guilty) expect(guilty.route.name).toBe(bad);
      } else known.worked(offered);
      expect(attempts).toBeLessThan(20);
    }
    expect(told(known.offer(all, 0))).toEqual(told(all).filter((one) => !one.startsWith(bad)));
  });

  it("loses nothing where the balancer fails with what it worked with", () => {
    const known = trust();
    known.worked([backend("a")]);
    expect(known.failed([backend("a")], 0)).toBeUndefined();
    expect(told(known.offer([backend("a"), backend("b")], 0))).toEqual([
      "a a.example.org",
      "b b.example.org",
    ]);
  });
});
