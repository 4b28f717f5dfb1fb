import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** The few questions the registrar asks of a Docker engine, answered as a test says. */
export interface FakeDocker {
  /** `http://127.0.0.1:PORT`. */
  readonly address: string;
  /** Lets containers of these names run, each with a published port, and no other. */
  run(...names: readonly string[]): void;
  stop(): Promise<void>;
}

const PORT = 8080;

export async function fakeDocker(): Promise<FakeDocker> {
  let running: readonly string[] = [];
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "", "http://docker").pathname.replace(/^\/v[\d.]+/, "");
    const name = /^\/containers\/([0-9a-f]{64})\/json$/.exec(path)?.[1];
    const found = running.find((one) => idOf(one) === name);
    // An event stream that tells nothing: the interval finds everything.
    if (path === "/events") return void response.flushHeaders();
    response.setHeader("content-type", "application/json");
    if (path === "/containers/json") response.end(JSON.stringify(running.map(listed)));
    else if (found) response.end(JSON.stringify(inspected(found)));
    else response.writeHead(404).end(JSON.stringify({ message: "No such container" }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    run(...names) {
      running = names;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function idOf(name: string): string {
  return Buffer.from(name).toString("hex").padEnd(64, "0");
}

function listed(name: string) {
  const port = { IP: "0.0.0.0", PrivatePort: 80, PublicPort: PORT, Type: "tcp" };
  return { Id: idOf(name), Names: [`/${name}`], State: "running", Status: "Up", Ports: [port], Labels: {} };
}

function inspected(name: string) {
  const Ports = { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: String(PORT) }] };
  return {
    Id: idOf(name),
    Name: `/${name}`,
    State: { Running: true, Status: "running" },
    Config: { Image: name, Env: [], Labels: {}, ExposedPorts: { "80/tcp": {} } },
    HostConfig: { NetworkMode: "bridge" },
    NetworkSettings: { Networks: {}, Ports },
  };
}
