import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@sluice/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { watchEvents } from "../marathon/events.ts";
import { httpConnection } from "./connection.ts";
import { serving } from "./fake-server.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-schedulers-tls-"));
  writeFileSync(join(folder, "san"), "subjectAltName=IP:127.0.0.1\n");
  authority("trusted");
  authority("foreign");
  issue("server");
  issue("client");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("trusts the given authority, and shows its certificate", async () => {
  const address = await mutualTls();
  const http = httpConnection("Marathon", {
    ...{ addresses: [address], clock: systemClock, ca: pem("trusted.pem") },
    ...{ cert: pem("client.pem"), key: pem("client.key") },
  });
  expect((await http({ method: "GET", path: "/" })).json).toEqual({ client: "client" });
});

it.each([
  ["an authority it was not told to trust", () => ({ ca: pem("foreign.pem") })],
  ["no authority of its own", () => ({})],
  ["no client certificate", () => ({ ca: pem("trusted.pem"), cert: undefined, key: undefined })],
])("does not talk with %s", async (_what, given) => {
  const address = await mutualTls();
  const identity = { cert: pem("client.pem"), key: pem("client.key"), ...given() };
  const known = Object.fromEntries(Object.entries(identity).filter(([, text]) => text !== undefined));
  const http = httpConnection("Marathon", { addresses: [address], clock: systemClock, ...known });
  await expect(http({ method: "GET", path: "/" })).rejects.toMatchObject({ code: "SCHEDULER_UNREACHABLE" });
});

it("listens to events with the same certificates", async () => {
  const address = await mutualTls();
  const identity = { ca: pem("trusted.pem"), cert: pem("client.pem"), key: pem("client.key") };
  const options = { addresses: [address], clock: systemClock, random: () => 0, ...identity };
  const hints: unknown[] = [];
  for await (const hint of watchEvents(options, new AbortController().signal)) {
    hints.push(hint);
    if (hint !== undefined) break;
  }
  expect(hints).toEqual([undefined, "web"]);
});

function mutualTls(): Promise<string> {
  const identity = { cert: pem("server.pem"), key: pem("server.key"), ca: pem("trusted.pem") };
  return serving(
    (request, response) => {
      const peer = (
        request.socket as unknown as { getPeerCertificate(): { subject: { CN: string } } }
      ).getPeerCertificate().subject.CN;
      if (!request.url?.startsWith("/v2/events")) return response.end(JSON.stringify({ client: peer }));
      return response.writeHead(200).write('data: {"appId":"/web"}\r\n\r\n');
    },
    { ...identity, requestCert: true, rejectUnauthorized: true },
  );
}

function pem(name: string): string {
  return readFileSync(join(folder, name), "utf8");
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
}

function authority(name: string): void {
  const out = ["-keyout", `${name}.key`, "-out", `${name}.pem`, "-subj", `/CN=${name}`, "-days", "1"];
  openssl("req", "-x509", ...KEY, ...out);
}

function issue(name: string): void {
  openssl("req", ...KEY, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
  const signer = ["-CA", "trusted.pem", "-CAkey", "trusted.key", "-CAcreateserial", "-days", "1"];
  openssl("x509", "-req", "-in", `${name}.csr`, ...signer, "-extfile", "san", "-out", `${name}.pem`);
}
