import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedConsul } from "@sluice/embedded";
import { afterAll, beforeAll, describe } from "vitest";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { startRealConsul } from "../servers/consul.ts";

/** A running Consul, embedded or real. */
export interface Target {
  address: string;
  /** Name of the agent's own node. */
  node: string;
  /** Most operations of one transaction: 64 before 1.14, 128 since. */
  mostOperations: number;
  /** Whether the transaction verb `get-or-empty` is known (it came after 1.8). */
  hasGetOrEmpty: boolean;
  call(method: string, path: string, body?: string | Buffer): Promise<Reply>;
}

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
}

/** Runs the same tests against the embedded Consul and, where it is installed, the real one. */
export function describeConsuls(name: string, body: (target: () => Target) => void): void {
  describe(`${name}: embedded`, () => withTarget(startEmbedded, body));
  describeWithServer(`${name}: real`, { consul: hasConsul() }, () => withTarget(startReal, body));
}

/** A prefix no other test of this process uses. */
export function freshPrefix(): string {
  const prefix = `p${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}/`;
  return prefix;
}

export function json<T>(reply: Reply): T {
  return JSON.parse(reply.text) as T;
}

/** `X-Consul-Index` as a number. */
export function indexOf(reply: Reply): number {
  return Number(reply.headers.get("x-consul-index"));
}

/** JSON with every index and random id replaced, so that answers of different servers compare. */
export function withoutIndexes(text: string): unknown {
  return JSON.parse(text, (key, value: unknown) => (/^(Create|Modify)Index$/.test(key) ? "INDEX" : value));
}

interface Started {
  address: string;
  stop(): Promise<void>;
}

function withTarget(start: () => Promise<Started>, body: (target: () => Target) => void): void {
  let started: Started | undefined;
  let target: Target | undefined;
  beforeAll(async () => {
    started = await start();
    target = await describeTarget(started.address);
  });
  afterAll(() => started?.stop());
  body(() => {
    if (!target) throw new Error("the server did not start");
    return target;
  });
}

async function startEmbedded(): Promise<Started> {
  const dataDir = await mkdtemp(join(tmpdir(), "consul-http-"));
  const server = await embeddedConsul({ dataDir });
  async function stop() {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
  return { address: server.address, stop };
}

async function startReal(): Promise<Started> {
  const server = await startRealConsul();
  if (!server) throw new Error("Consul is not installed");
  return server;
}

async function describeTarget(address: string): Promise<Target> {
  const call = caller(address);
  const { Config } = json<{ Config: { NodeName: string; Version: string } }>(
    await call("GET", "/v1/agent/self"),
  );
  const [major = 0, minor = 0] = Config.Version.split(".").map(Number);
  const isSince114 = major > 1 || minor >= 14;
  return {
    address,
    call,
    node: Config.NodeName,
    mostOperations: isSince114 ? 128 : 64,
    hasGetOrEmpty: isSince114,
  };
}

function caller(address: string): Target["call"] {
  return async (method, path, body) => {
    const response = await fetch(address + path, {
      method,
      redirect: "manual",
      signal: AbortSignal.timeout(25_000),
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
}
