import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../harness/free-port.ts";
import { ask } from "../harness/http-load.ts";
import { startRoles } from "../harness/role.ts";
import { startRealConsul } from "../servers/consul.ts";
import { startHaproxy, type TestHaproxy } from "../servers/haproxy.ts";
import { percentile, type Report } from "./bench.ts";

const ROUNDS = 20;
const PATIENCE_MS = 30_000;
/** So many answers in a row without a server, and it is gone. */
const CERTAIN = 20;
/** Between two rounds: what drains is let go, and the next reload is not held back. */
const REST_MS = 500;

/** From a change of Consul's catalog to the answers through HAProxy that show it. */
export async function measureRouter(report: Report): Promise<void> {
  const endings: (() => Promise<unknown>)[] = [];
  try {
    const place = await startPlace(endings);
    await appears(place, "web-0", "web");
    report.say(`${ROUNDS} times another server, without a reload`);
    await otherServers(place, report);
    report.say(`${ROUNDS} times another service, with a reload`);
    await otherServices(place, report);
  } finally {
    for (const end of endings.reverse()) await end();
  }
}

interface Place {
  readonly consul: string;
  readonly haproxy: TestHaproxy;
  /** Where HAProxy listens. */
  readonly port: number;
  /** Starts a server that answers with its name. @returns its port. */
  serve(name: string): Promise<number>;
}

async function startPlace(endings: (() => Promise<unknown>)[]): Promise<Place> {
  const consul = await startRealConsul();
  if (!consul) throw new Error("Consul is not on this machine");
  endings.push(consul.stop);
  const haproxy = await startHaproxy();
  endings.push(haproxy.stop);
  const port = await freePort();
  const { program, master: masterSocket, runtime: runtimeSocket, file: configFile } = haproxy;
  const balancer = { type: "haproxy", program, masterSocket, runtimeSocket };
  const settings = { http_port: port };
  const router = await startRoles({
    roles: ["router"],
    config: {
      consul: { address: consul.address },
      router: { configFile, balancer, settings, drain: "100ms", reloadInterval: "100ms" },
    },
  });
  endings.push(router.remove);
  const serve = (name: string) => served(name, endings);
  return { consul: consul.address, haproxy, port, serve };
}

async function served(name: string, endings: (() => Promise<unknown>)[]): Promise<number> {
  const server: Server = createServer((_request, response) => void response.end(name));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endings.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function otherServers(place: Place, report: Report): Promise<void> {
  const first: number[] = [];
  const last: number[] = [];
  const worker = await place.haproxy.worker();
  for (let round = 1; round <= ROUNDS; round++) {
    first.push(await appears(place, `web-${round}`, "web"));
    last.push(await vanishes(place, `web-${round - 1}`, "web"));
    await sleep(REST_MS);
  }
  if ((await place.haproxy.worker()) !== worker) throw new Error("HAProxy was reloaded");
  addFigures(report, "a server more, no reload: catalog → its first answer", first);
  addFigures(report, "a server less, no reload: catalog → its last answer", last);
}

async function otherServices(place: Place, report: Report): Promise<void> {
  const first: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    first.push(await appears(place, `api-${round}`, `api-${round}`));
    await sleep(REST_MS);
  }
  addFigures(report, "another service, with a reload: catalog → its first answer", first);
}

/** Milliseconds from the registration of a server to its first answer. */
async function appears(place: Place, id: string, service: string): Promise<number> {
  const Port = await place.serve(id);
  const host = `${service}.example.org`;
  const body = { ID: id, Name: service, Address: "127.0.0.1", Port, Tags: ["lb"], Meta: { lb_host: host } };
  const since = performance.now();
  await put(`${place.consul}/v1/agent/service/register`, JSON.stringify(body));
  for (;;) {
    // While HAProxy never saw its file, nobody listens.
    const text = await ask({ port: place.port, host }).then(
      (answer) => answer.text,
      () => "",
    );
    const ms = performance.now() - since;
    if (text === id) return ms;
    if (ms > PATIENCE_MS) throw new Error(`${id} does not answer`);
    await sleep(1);
  }
}

/** Milliseconds from the end of a registration to the server's last answer; 0 where there was none. */
async function vanishes({ consul, port }: Place, id: string, service: string): Promise<number> {
  const host = `${service}.example.org`;
  const since = performance.now();
  await put(`${consul}/v1/agent/service/deregister/${id}`, "");
  let last = 0;
  for (let others = 0; others < CERTAIN; ) {
    const { text } = await ask({ port, host });
    const ms = performance.now() - since;
    if (text === id) [last, others] = [ms, 0];
    else others += 1;
    if (ms > PATIENCE_MS) throw new Error(`${id} answers on`);
    await sleep(1);
  }
  return last;
}

async function put(url: string, body: string): Promise<void> {
  const { status } = await fetch(url, { method: "PUT", body });
  if (status !== 200) throw new Error(`Consul answered ${status}`);
}

function addFigures(report: Report, what: string, samples: readonly number[]): void {
  report.add({ figure: `${what} p50`, value: percentile(samples, 0.5), unit: "ms", target: null });
  report.add({ figure: `${what}, slowest`, value: percentile(samples, 1), unit: "ms", target: null });
}
