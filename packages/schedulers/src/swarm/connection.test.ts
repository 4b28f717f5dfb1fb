import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dockerConnection } from "./connection.ts";

let folder: string;
let servers: { stop(): Promise<void> }[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-docker-connection-"));
  servers = [];
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
});

/** Listens on a free port, or on a socket. */
async function listening(server: Server & { closeAllConnections(): void }, path?: string): Promise<number> {
  await new Promise<void>((resolve) =>
    path ? server.listen(path, resolve) : server.listen(0, "127.0.0.1", resolve),
  );
  servers.push({
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  });
  return path ? 0 : (server.address() as AddressInfo).port;
}

const answering =
  (status: number, body: unknown): RequestListener =>
  (_request, response) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));

describe("a connection to Docker", () => {
  it("speaks over a unix socket", async () => {
    const path = join(folder, "docker.sock");
    await listening(
      createServer((request, response) => response.end(JSON.stringify([{ asked: request.url ?? "" }]))),
      path,
    );
    const { ask } = dockerConnection({ addresses: [`unix://${path}`] });
    const answer = await ask({ method: "GET", path: "/services", query: { filters: { label: ["a=b"] } } });
    expect(answer.json).toEqual([{ asked: "/services?filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D" }]);
  });

  it("says so where there is no such socket", async () => {
    const { ask } = dockerConnection({ addresses: [`unix://${folder}/none.sock`] });
    await expect(ask({ method: "GET", path: "/services" })).rejects.toMatchObject({
      code: "SCHEDULER_UNREACHABLE",
      message: expect.stringMatching(/ENOENT \(there is no such socket\)$/),
    });
  });

  it.each(["GET", "POST"] as const)(
    "asks the next address where a %s was refused a connection",
    async (method) => {
      const port = await listening(createServer(answering(200, [])));
      const gone = `unix://${folder}/none.sock`;
      const { ask } = dockerConnection({ addresses: [gone, `tcp://127.0.0.1:${port}`] });
      expect((await ask({ method, path: "/services" })).status).toBe(200);
    },
  );

  it("sends no write twice that may have arrived", async () => {
    let arrived = 0;
    const cutting: RequestListener = (request) => {
      arrived += 1;
      request.socket.destroy();
    };
    const ports = [await listening(createServer(cutting)), await listening(createServer(cutting))];
    const { ask } = dockerConnection({ addresses: ports.map((port) => `tcp://127.0.0.1:${port}`) });
    await expect(
      ask({ method: "POST", path: "/services/create", body: { Name: "a" } }),
    ).rejects.toMatchObject({
      code: "SCHEDULER_UNREACHABLE",
    });
    expect(arrived).toBe(1);
  });

  it("gives up on an answer that stops in the middle", async () => {
    const port = await listening(
      createServer((_request, response) => response.writeHead(200, { "content-length": "100" }).write("[")),
    );
    const { ask } = dockerConnection({ addresses: [`http://127.0.0.1:${port}`], timeoutMs: 200 });
    await expect(ask({ method: "GET", path: "/services" })).rejects.toMatchObject({
      message: expect.stringMatching(/no answer in time$/),
    });
  });

  it("is cut by the signal", async () => {
    const port = await listening(createServer(() => undefined));
    const { ask } = dockerConnection({ addresses: [`http://127.0.0.1:${port}`] });
    const stop = new AbortController();
    const asking = ask({ method: "GET", path: "/services", signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(asking).rejects.toThrow("enough");
  });

  it("speaks TLS over tcp where it is given certificates, and only to whom it trusts", async () => {
    const identity = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
    const how = [
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-subj",
      "/CN=docker",
      "-addext",
      "subjectAltName=IP:127.0.0.1",
    ];
    execFileSync("openssl", ["req", ...how, "-keyout", identity.key, "-out", identity.cert], {
      stdio: "ignore",
    });
    const [cert, key] = [identity.cert, identity.key].map((file) => readFileSync(file, "utf8"));
    const server = createTlsServer({ cert, key, ca: cert, requestCert: true }, answering(200, []));
    const addresses = [`tcp://127.0.0.1:${await listening(server)}`];
    const known = { ca: cert ?? "", cert: cert ?? "", key: key ?? "" };
    expect(
      (await dockerConnection({ addresses, ...known }).ask({ method: "GET", path: "/services" })).json,
    ).toEqual([]);
    const asking = dockerConnection({ addresses: [addresses[0]?.replace("tcp", "https") ?? ""] });
    await expect(asking.ask({ method: "GET", path: "/services" })).rejects.toMatchObject({
      code: "SCHEDULER_UNREACHABLE",
    });
  });

  it.each(["docker.sock", "ssh://host", ""])("refuses the address %j", (address) => {
    expect(() => dockerConnection({ addresses: [address] })).toThrow(/is no address of a Docker Engine/);
  });
});
