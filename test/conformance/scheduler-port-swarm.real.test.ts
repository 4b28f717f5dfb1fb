import type { JobId, JsonObject } from "@sluice/core";
import { schedulerConformance } from "@sluice/core/testing/scheduler-conformance";
import { swarm, swarmFormat } from "@sluice/schedulers";
import { describeWithServer } from "../servers/available.ts";
import { hasDockerd, startDocker } from "../servers/docker.ts";
import { deadAddress, optionsFor, sameAnswer } from "./scheduler-port-server.ts";

describeWithServer("a real Docker Engine", { dockerd: hasDockerd() }, () => {
  schedulerConformance("swarm on a real Docker Engine", swarmSubject, { watch: true, cancel: true });
});

async function swarmSubject() {
  const docker = await startDocker();
  await docker.importImage("sleep:1", {}, ["/bin/sleep", "1000"]);
  await docker.initSwarm();
  const stops = [() => docker.stop()];

  return {
    scheduler: swarm(optionsFor(docker.address)),
    compare: swarmFormat().compare,
    changedPath: "Mode.Replicated.Replicas",
    spec,
    async plant(id: JobId) {
      await docker.client.createService({ ...spec(id, "first") } as never);
    },
    async change(id: JobId) {
      const service = docker.client.getService(id);
      const { Spec, Version } = await service.inspect();
      await service.update({ ...Spec, version: Version.Index, Mode: { Replicated: { Replicas: 2 } } });
    },
    drop: (id: JobId) => docker.client.getService(id).remove(),
    async failing(how: "unreachable" | "denied" | "invalid") {
      if (how === "unreachable") return swarm(optionsFor(await deadAddress()));
      const away = await sameAnswer((method) => {
        if (how === "denied") return { status: 401, body: { message: "no" } };
        if (method === "GET") return { status: 200, body: [] };
        return { status: 400, body: { message: "rpc error: invalid image reference" } };
      });
      stops.unshift(() => away.stop());
      return swarm(optionsFor(away.address));
    },
    async stop() {
      for (const stop of stops) await stop();
    },
  };
}

function spec(id: JobId, which: "first" | "second"): JsonObject {
  const quick = { StopGracePeriod: 1_000_000_000, Image: "sleep:1" };
  const rollout = { Parallelism: 1, Monitor: 200_000_000, FailureAction: "pause", Order: "stop-first" };
  const common = { Name: id, Mode: { Replicated: { Replicas: 1 } }, UpdateConfig: rollout };
  return which === "first"
    ? {
        ...common,
        Labels: { team: "shop" },
        TaskTemplate: { ContainerSpec: { ...quick, Env: ["LEVEL=info"] } },
      }
    : { ...common, TaskTemplate: { ContainerSpec: { ...quick, Args: ["/bin/sleep", "2000"] } } };
}
