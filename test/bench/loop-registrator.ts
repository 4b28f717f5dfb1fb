import { request } from "node:http";
import Docker from "dockerode";
import { dockerEvents } from "./loop-docker.ts";

/**
 * The algorithm of gliderlabs' Registrator, in a process of its own: first all running containers, then each `start` and `die`;
 * behind one lock, one `inspect` and one registration for each start, one deregistration for each service of an end.
 * Arguments: Docker's socket, Consul's address, the host's address. Tells its parent once the running ones are registered.
 */
const [socketPath = "", consul = "", address = ""] = process.argv.slice(2);
const docker = new Docker({ socketPath });
const services = new Map<string, readonly string[]>();
let lock: Promise<void> = Promise.resolve();

function inTurn(work: () => Promise<void>): void {
  // A container that is gone again before it was looked at is none to register.
  lock = lock.then(work).catch(() => undefined);
}

async function add(id: string): Promise<void> {
  if (services.has(id)) return;
  const { Name, Config, State } = await docker.getContainer(id).inspect();
  if (!State.Running) return;
  const name = Name.replace("/", "");
  const ports = Object.keys(Config.ExposedPorts ?? {}).map((port) => Number.parseInt(port, 10));
  const ids = ports.map((port) => `host-1:${name}:${port}`);
  for (const [at, port] of ports.entries()) {
    const body = {
      ID: ids[at],
      Name: Config.Image.replace(/^.*\//, "").replace(/:.*/, ""),
      Port: port,
      Address: address,
    };
    await put("/v1/agent/service/register", JSON.stringify(body));
  }
  services.set(id, ids);
}

async function remove(id: string): Promise<void> {
  for (const service of services.get(id) ?? []) await put(`/v1/agent/service/deregister/${service}`, "");
  services.delete(id);
}

function put(path: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(`${consul}${path}`, { method: "PUT" }, (answer) => {
      answer.resume().once("end", resolve);
    });
    call.once("error", reject);
    call.end(body);
  });
}

const events = await dockerEvents(docker, new AbortController().signal);
events.on("container start", (_at, _attributes, id) => inTurn(() => add(id)));
events.on("container die", (_at, _attributes, id) => inTurn(() => remove(id)));
for (const { Id } of await docker.listContainers()) inTurn(() => add(Id));
inTurn(async () => void process.send?.("synced"));
process.on("disconnect", () => process.exit());
