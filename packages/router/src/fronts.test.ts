import { expect, it } from "vitest";
import { frontsOf } from "./fronts.ts";
import type { Route } from "./route.ts";

const route = (name: string, hosts: string[], path?: string, more: Partial<Route> = {}): Route => ({
  service: name,
  name,
  mode: "http",
  hosts,
  path,
  port: undefined,
  check: undefined,
  sticky: false,
  servers: [],
  ...more,
});

const ROUTES = [
  route("everything", [], "/"),
  route("anywhere", [], "/api/v2/long"),
  route("wild", ["*.example.org"]),
  route("wilder", ["*.eu.example.org", "exact.example.org"], "/w"),
  route("shop", ["shop.example.org"]),
  route("api", ["shop.example.org"], "/api"),
];

it("puts hosts before paths: exact ones, then wildcards, then any, the longest first", () => {
  const [front] = frontsOf(ROUTES);
  expect(front?.rules.map(({ backend, host, wildcard, path }) => [backend, wildcard, host, path])).toEqual([
    ["wilder", false, "exact.example.org", "/w"],
    ["api", false, "shop.example.org", "/api"],
    ["shop", false, "shop.example.org", null],
    ["wilder", true, "eu.example.org", "/w"],
    ["wild", true, "example.org", null],
    ["anywhere", false, null, "/api/v2/long"],
    ["everything", false, null, null],
  ]);
});

it("tells for each host what fits it", () => {
  const [front] = frontsOf(ROUTES);
  const told = front?.hosts.map(({ host, locations }) => [
    host,
    locations.map(({ path, backend }) => `${path} ${backend}`),
  ]);
  expect(told).toEqual([
    ["exact.example.org", ["/api/v2/long anywhere", "/w wilder", "null wild"]],
    ["shop.example.org", ["/api/v2/long anywhere", "/api api", "null shop"]],
    ["*.eu.example.org", ["/api/v2/long anywhere", "/w wilder", "null wild"]],
    ["*.example.org", ["/api/v2/long anywhere", "null wild"]],
    [null, ["/api/v2/long anywhere", "null everything"]],
  ]);
});

it("keeps ports apart, the common one first even where nothing asks for it", () => {
  const fronts = frontsOf([
    route("db", [], undefined, { mode: "tcp", port: 5432 }),
    route("a", ["a.example.org"], undefined, { port: 81 }),
    route("b", [], undefined, { port: 81 }),
  ]);
  expect(
    fronts.map(({ port, mode, backend, rules }) => [port, mode, backend, rules.map((r) => r.backend)]),
  ).toEqual([
    [null, "http", null, []],
    [81, "http", null, ["a", "b"]],
    [5432, "tcp", "db", []],
  ]);
});
