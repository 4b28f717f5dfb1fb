import type { ServiceInstance } from "@sluice/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderer } from "./render.ts";
import { type Route, routeOf } from "./route.ts";
import { assignSlots, emptySlots } from "./slots.ts";
import { builtInTemplate } from "./templates.ts";

const instance = (more: Partial<ServiceInstance> = {}): ServiceInstance => ({
  node: "n1",
  id: "web-1",
  name: "web",
  address: "10.0.0.1",
  port: 8080,
  tags: ["lb"],
  meta: { lb_host: "shop.example.org" },
  status: "passing",
  weight: 1,
  ...more,
});

describe("the route of a service", () => {
  it("is what its instances ask for", () => {
    const meta = {
      lb_host: "shop.example.org, *.shop.example.org",
      lb_path: "/api",
      lb_check: "/health?x",
      lb_sticky: "true",
    };
    expect(routeOf("web", [instance({ meta: { ...meta, lb_check: "/health" }, weight: 999 })])).toEqual({
      route: {
        service: "web",
        name: "web",
        mode: "http",
        hosts: ["shop.example.org", "*.shop.example.org"],
        path: "/api",
        port: undefined,
        check: "/health",
        sticky: true,
        servers: [{ id: "n1/web-1", address: "10.0.0.1", port: 8080, weight: 256 }],
      },
      servers: [{ id: "n1/web-1", address: "10.0.0.1", port: 8080, weight: 256 }],
      released: [],
      problems: [],
    });
  });

  it("counts the silence of most instances, and never mixes what two of them say", () => {
    const said = (meta: Record<string, string>, id: string) => instance({ id, meta });
    const host = { lb_host: "shop.example.org" };
    const { route } = routeOf("web", [
      said(host, "1"),
      said(host, "2"),
      said({ lb_host: "b.example.org", lb_path: "/x" }, "3"),
    ]);
    expect([route?.hosts, route?.path]).toEqual([["shop.example.org"], undefined]);
  });

  it("names what was taken out by hand, and gives addresses one form", () => {
    const { servers, released } = routeOf("web", [
      instance({ id: "1", status: "maintenance" }),
      instance({ id: "2", address: "FD00:0:0::0001" }),
    ]);
    expect([released, servers.map(({ address }) => address)]).toEqual([["n1/1"], ["fd00::1"]]);
  });

  it("holds what is passing or warning, and nothing else", () => {
    const states = ["passing", "warning", "critical", "maintenance"] as const;
    const { route } = routeOf(
      "web",
      states.map((status) => instance({ id: status, status })),
    );
    expect(route?.servers.map(({ id }) => id)).toEqual(["n1/passing", "n1/warning"]);
  });

  it("is what most instances say while they differ", () => {
    const { route } = routeOf("web", [
      instance({ id: "1", meta: { lb_host: "old.example.org" } }),
      instance({ id: "2", meta: { lb_host: "new.example.org" } }),
      instance({ id: "3", meta: { lb_host: "new.example.org" } }),
    ]);
    expect(route?.hosts).toEqual(["new.example.org"]);
  });

  it.each([
    ["web\nbackend evil", {}, /has a name that no backend can bear/],
    ["web", { lb_host: "a b" }, /lb_host "a b" is no host name/],
    ["web", { lb_host: "x\n  bind :22" }, /is no host name/],
    ["web", { lb_host: "a", lb_path: "/ if TRUE" }, /lb_path .* is no plain path/],
    ["sluice-nothing", { lb_host: "a" }, /has a name that no backend can bear/],
    ["web", { lb_host: "a", lb_path: "/it's" }, /is no plain path/],
    ["web", { lb_host: "a", lb_path: "/a;return" }, /is no plain path/],
    ["web", { lb_host: "a", lb_check: "no" }, /lb_check "no" is no plain path/],
    ["web", { lb_host: "a", lb_port: "70000" }, /lb_port "70000" is no port/],
    ["web", { lb_host: "a", lb_mode: "udp" }, /lb_mode is http or tcp/],
    ["web", { lb_mode: "tcp" }, /lb_mode tcp needs lb_port/],
    ["web", {}, /nothing leads to it/],
  ])("of %j with %j is left out with its reason", (name, meta, reason) => {
    const { route, problems } = routeOf(name, [instance({ meta: meta as Record<string, string> })]);
    expect([route, problems]).toEqual([undefined, [expect.stringMatching(reason)]]);
  });

  it.each([
    ["shop", 80],
    ["0.0.0.0", 80],
    ["0:0::0", 80],
    ["fe80::1%eth0", 80],
    ["10.0.0.1 disabled\n", 80],
    ["10.0.0.1", 0],
    ["10.0.0.1", 99_999],
  ])("leaves out an instance at %j:%i alone", (address, port) => {
    const { route, problems } = routeOf("web", [instance({ id: "bad", address, port }), instance()]);
    expect([route?.servers.map(({ id }) => id), problems.length]).toEqual([["n1/web-1"], 1]);
  });
});

describe("the file", () => {
  const rendered = (routes: readonly Route[]) =>
    renderer(builtInTemplate("haproxy"), { runtime: "/run/lb.sock", http_port: 80 }).render(
      routes.map(({ servers, ...route }) => ({ route, slots: assignSlots(emptySlots(4), servers) })),
    );

  it("has the same structure whatever servers there are, and another for another route", () => {
    const route = routeOf("web", [instance()]).route as Route;
    const one = rendered([route]);
    const other = rendered([{ ...route, servers: [{ id: "x", address: "10.9.9.9", port: 1, weight: 7 }] }]);
    expect(one.structure).toBe(other.structure);
    expect(one.text).not.toBe(other.text);
    expect(rendered([{ ...route, hosts: ["b.example.org"] }]).structure).not.toBe(one.structure);
  });

  it("gets nothing from a catalog but words where words belong", () => {
    const text = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.constantFrom(
        "a\nbackend x",
        "a # b",
        "{{ config }}",
        '"',
        "a b",
        "/x\r\ny",
        "%",
        "\\",
        "::1",
        "*.a.b",
      ),
    );
    const meta = fc.dictionary(
      fc.constantFrom("lb_host", "lb_path", "lb_port", "lb_mode", "lb_check", "lb_sticky"),
      text,
    );
    fc.assert(
      fc.property(text, text, meta, fc.integer({ min: -1, max: 70_000 }), (name, address, said, port) => {
        const { route } = routeOf(name, [
          instance({ address, port, meta: { lb_host: "ok.example.org", ...said } }),
        ]);
        if (!route) return;
        const plain: Route = { ...route, name: "web", service: "web", hosts: route.hosts.map(() => "x.y") };
        const lines = (one: Route) => rendered([one]).text.split("\n").length;
        expect(lines(route)).toBe(lines({ ...plain, path: route.path && "/p", check: route.check && "/c" }));
      }),
      { numRuns: 300 },
    );
  });
});
