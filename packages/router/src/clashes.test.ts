import { describe, expect, it } from "vitest";
import { withoutClashes } from "./clashes.ts";
import type { Route } from "./route.ts";

const route = (name: string, more: Partial<Route> = {}): Route => ({
  service: name,
  name,
  mode: "http",
  hosts: ["shop.example.org"],
  path: undefined,
  port: undefined,
  check: undefined,
  sticky: false,
  servers: [],
  ...more,
});
const without = (
  routes: readonly Route[],
  holders = new Map<string, string>(),
  reserved = new Set<number>(),
) => withoutClashes(routes, { holders, reserved });
const names = ({ routes }: { readonly routes: readonly Route[] }) => routes.map(({ name }) => name);

describe("routes that claim the same place", () => {
  it("leave it to one of them, the first by name", () => {
    const found = without([
      route("b"),
      route("a"),
      route("c", { path: "/c" }),
      route("d", { mode: "tcp", port: 9000, hosts: [] }),
      route("e", { mode: "tcp", port: 9000, hosts: [] }),
    ]);
    expect(names(found)).toEqual(["a", "c", "d"]);
    expect(found.problems).toEqual([
      "b: host shop.example.org belongs to a already",
      "e: port 9000 belongs to d already",
    ]);
  });

  it("leave it to the one that has it, whatever the newcomer is called", () => {
    const { holders } = without([route("web")]);
    const found = without([route("aaa"), route("web")], new Map(holders));
    expect([names(found), found.problems]).toEqual([
      ["web"],
      ["aaa: host shop.example.org belongs to web already"],
    ]);
    expect(names(without([route("aaa")], new Map(found.holders)))).toEqual(["aaa"]);
  });

  it.each([
    ["http first", route("a", { port: 9000 }), route("b", { mode: "tcp", port: 9000, hosts: [] })],
    ["tcp first", route("a", { mode: "tcp", port: 9000, hosts: [] }), route("b", { port: 9000 })],
  ])("do not share a port between HTTP and TCP: %s", (_, first, second) => {
    expect(names(without([first, second]))).toEqual(["a"]);
  });

  it("share a port by hosts, and get none that is the balancer's own", () => {
    const other = route("b", { port: 9000, hosts: ["b.example.org"] });
    expect(names(without([route("a", { port: 9000 }), other]))).toEqual(["a", "b"]);
    const found = without([route("a", { port: 80, hosts: [] })], new Map(), new Set([80]));
    expect([names(found), found.problems]).toEqual([[], ["a: port 80 belongs to the load balancer itself"]]);
  });
});
