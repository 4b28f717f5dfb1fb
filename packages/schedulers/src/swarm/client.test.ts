import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { swarmClient } from "./client.ts";
import { dockerConnection } from "./connection.ts";

/** What was asked: the path, and the credentials for a registry. */
let asked: [path: string, auth: unknown][] = [];
const server = createServer((request, response) => {
  const header = request.headers["x-registry-auth"];
  const auth =
    typeof header === "string" ? JSON.parse(Buffer.from(header, "base64url").toString()) : undefined;
  asked.push([request.url ?? "", auth]);
  request.resume();
  response.writeHead(200, { "content-type": "application/json" }).end("{}");
});

beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
beforeEach(() => {
  asked = [];
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

it("gives the swarm the credentials of the image's registry, and no others", async () => {
  const { port } = server.address() as AddressInfo;
  const config = JSON.stringify({ auths: { "registry.example": { username: "bot", password: "password" } } });
  const docker = dockerConnection({ addresses: [`tcp://127.0.0.1:${port}`] });
  const client = swarmClient(docker, () => config);
  const spec = (Image: string) => ({ Name: "web", TaskTemplate: { ContainerSpec: { Image } } });
  await client.create(spec("registry.example/web:1"));
  await client.update({ ID: "a", Version: { Index: 7 } }, spec("registry.example/web:2"));
  await client.create(spec("other.example/web:1"));
  await swarmClient(docker).create(spec("registry.example/web:1"));
  const bot = { username: "bot", password: "password", serveraddress: "registry.example" };
  expect(asked).toEqual([
    ["/services/create", bot],
    ["/services/a/update?version=7", bot],
    ["/services/create", undefined],
    ["/services/create", undefined],
  ]);
});
