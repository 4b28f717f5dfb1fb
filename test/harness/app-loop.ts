import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type FakeJenkins, fakeJenkins } from "@sluice/build-trigger/testing";
import { hasConsul } from "../servers/available.ts";
import { type RealConsul, startRealConsul } from "../servers/consul.ts";
import { hasDockerd, startDocker, type TestDocker } from "../servers/docker.ts";
import { hasHaproxy, startHaproxy, type TestHaproxy } from "../servers/haproxy.ts";
import { hasRegistry, startRegistry, type TestRegistry } from "../servers/registry.ts";
import { buildApp } from "./app-build.ts";
import { engineSettings, registryEndpoint, secretFiles } from "./app-loop-settings.ts";
import { type AppRepository, appRepository } from "./app-repository.ts";
import { type AppVersion, appFiles, deployFiles, HOST } from "./app-source.ts";
import { cloneDeployRepo, type DeployClone } from "./deploy-clone.ts";
import { type Ran, removeEngine, sluice, startEngine, type TestEngine } from "./engine.ts";
import { freePort } from "./free-port.ts";
import { type Listener, startListener } from "./listener.ts";
import { type RoleProcess, startRoles } from "./role.ts";

/** What the loop needs on this machine, for `describeWithServer`. */
export const loopServers = () => ({
  consul: hasConsul(),
  "docker-registry": hasRegistry(),
  dockerd: hasDockerd(),
  haproxy: hasHaproxy(),
});

/** Everything between an app's repository and the load balancer before it, on real servers; only the CI is a stand-in. */
export interface AppLoop {
  readonly docker: TestDocker;
  readonly consul: RealConsul;
  readonly registry: TestRegistry;
  readonly balancer: TestHaproxy;
  readonly ci: FakeJenkins;
  /** The team's program that hears of everything. */
  readonly listener: Listener;
  /** Hosts the deploy repo; roles mirror, deployer, image-updater, build-trigger, notifier and http. */
  readonly engine: TestEngine;
  /** The machine that runs containers, and the one with the load balancer. */
  readonly registrar: RoleProcess;
  readonly router: RoleProcess;
  readonly appRepository: AppRepository;
  /** Clones of the app's repository and of the deploy repo. */
  readonly app: DeployClone;
  readonly deploy: DeployClone;
  /** Without its tag. */
  readonly image: string;
  /** Where the load balancer listens on loopback for requests to `host`. */
  readonly port: number;
  readonly host: string;
  /** Pushes one version of the app. @returns what the push said. */
  release(version: AppVersion): Promise<Ran>;
  stop(): Promise<void>;
}

export interface AppLoopOptions {
  /** Who says that there is a new image: the CI's last step, or the registry's notification. */
  readonly announcedBy: "ci" | "registry";
  /** Told when the CI begins with a commit, and when the registry has its image. */
  readonly onBuild?: (what: "begun" | "pushed") => void;
}

const APP = "shop";

/** @throws with what did not start; what did is stopped then. */
export async function startAppLoop(options: AppLoopOptions): Promise<AppLoop> {
  const endings: (() => Promise<unknown>)[] = [];
  const keep: Keep = async (starting, end) => {
    const thing = await starting;
    // What is stopped later is what was started earlier.
    endings.unshift(() => end(thing));
    return thing;
  };
  const stop = async () => {
    for (const end of endings.splice(0)) await end();
  };
  try {
    return { ...(await startAll(options, keep)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Stops what has been started when everything is stopped. */
type Keep = <T>(starting: Promise<T>, end: (thing: T) => Promise<unknown>) => Promise<T>;

async function startAll(options: AppLoopOptions, keep: Keep): Promise<Omit<AppLoop, "stop">> {
  const secrets = await keep(secretFiles(), ({ folder }) => rm(folder, { recursive: true, force: true }));
  const [docker, consul, appRepo, balancer, listener] = await together(
    keep(startSwarm(), (one) => one.stop()),
    keep(realConsul(), (one) => one.stop()),
    keep(appRepository(APP), (one) => one.stop()),
    keep(startHaproxy(), (one) => one.stop()),
    keep(startListener(), (one) => one.stop()),
  );
  const ci: FakeJenkins = await keep(
    fakeJenkins((words) => build(words.SLUICE_COMMIT ?? "")),
    (one) => one.close(),
  );
  const settings = engineSettings({ app: APP, ci: ci.url, listener: listener.url, secrets });
  const targets = { services: { type: "swarm", addresses: [docker.address], wait: "60s" } };
  const [engine, edge] = await together(
    keep(startEngine({ consul: consul.address, targets, settings }), removeEngine),
    startEdge(consul, docker, balancer, keep),
  );
  const registry = await keep(
    startRegistry(
      options.announcedBy === "registry" ? registryEndpoint(engine.address) : undefined,
      docker.outside,
    ),
    (one) => one.stop(),
  );
  const image = `${registry.host}/shop/web`;
  must(await sluice(["hook", "install", appRepo.folder, "--ci", "--server", engine.address]));
  const app = await keep(cloneDeployRepo(appRepo.url), (one) => one.cleanUp());
  const deploy = await keep(cloneDeployRepo(engine.repositoryUrl), (one) => one.cleanUp());

  async function build(commit: string): Promise<string> {
    options.onBuild?.("begun");
    const onPushed = () => options.onBuild?.("pushed");
    const tag = await buildApp({ docker, url: appRepo.url, commit, image, onPushed });
    const by = `${ci.url}, which built ${APP} ${commit}`;
    const words = ["image", "set", image, tag, "--by", by, "--server", engine.address];
    if (options.announcedBy === "ci") must(await sluice(words));
    return "SUCCESS";
  }
  async function release(version: AppVersion): Promise<Ran> {
    for (const [path, text] of Object.entries(appFiles(version))) await app.write(path, text);
    return app.push(`shop ${version.version}`);
  }
  const servers = { docker, consul, registry, balancer, listener, ci, engine, ...edge };
  return { ...servers, appRepository: appRepo, app, deploy, image, host: HOST, release };
}

/** Waits for all of them, so that everything that started is known when one did not. @throws the first failure. */
async function together<T extends readonly Promise<unknown>[]>(
  ...starting: T
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(starting);
  return (await Promise.all(starting)) as { -readonly [K in keyof T]: Awaited<T[K]> };
}

async function startSwarm(): Promise<TestDocker> {
  const docker = await startDocker();
  await docker.initSwarm();
  return docker;
}

async function realConsul(): Promise<RealConsul> {
  const consul = await startRealConsul();
  if (!consul) throw new Error("Consul is not on this machine");
  return consul;
}

/** What is not where the engine is: the registrar beside dockerd, the router beside HAProxy. */
async function startEdge(consul: RealConsul, docker: TestDocker, balancer: TestHaproxy, keep: Keep) {
  const port = await freePort();
  const shared = { consul: { address: consul.address } };
  const beside = { docker: docker.address, node: "host-1", address: docker.host };
  const haproxy = {
    type: "haproxy",
    program: balancer.program,
    masterSocket: balancer.master,
    runtimeSocket: balancer.runtime,
  };
  const before = { configFile: balancer.file, balancer: haproxy, settings: { http_port: port } };
  const [registrar, router] = await together(
    keep(startRoles({ roles: ["registrar"], config: { ...shared, registrar: beside } }), (one) =>
      one.remove(),
    ),
    keep(startRoles({ roles: ["router"], config: { ...shared, router: before } }), (one) => one.remove()),
  );
  return { port, registrar, router };
}

/** The first files of the deploy repo: from here on its commits are about versions. */
export async function writeDeployFiles({ deploy, image }: AppLoop, version: string): Promise<void> {
  await mkdir(join(deploy.folder, "services"), { recursive: true });
  for (const [path, text] of Object.entries(deployFiles(image, version))) await deploy.write(path, text);
}

function must({ code, output }: Ran): void {
  if (code !== 0) throw new Error(`a command ended with ${code}: ${output}`);
}
