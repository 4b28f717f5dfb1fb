import { join } from "node:path";
import { linkedAbort } from "../../process/linked-abort.ts";
import type { ProcessRunner } from "../../process/process-runner.ts";
import { portsOf } from "../app/validation.ts";
import type { HealthCheck } from "../model.ts";
import { environmentOf } from "../tasks/environment.ts";
import type { Instance } from "../tasks/instance.ts";
import { sandboxOf } from "../tasks/process-backend.ts";
import { hostPortsWanted } from "../tasks/resources.ts";
import type { ProbeResult } from "./health.ts";
import type { Prober } from "./monitor.ts";
import { ask, probeHttp, probeTcp } from "./probe.ts";

export interface ProberOptions {
  runner: ProcessRunner;
  host: string;
  sandboxes: string;
  baseEnv: Record<string, string>;
}

/** Probes tasks on this machine. The `MESOS_` protocols, which an agent would carry out, are the same here. */
export function localProber(options: ProberOptions): Prober {
  return {
    async check(instance, check) {
      const timeoutMs = check.timeoutSeconds * 1000;
      const protocol = check.protocol.replace("MESOS_", "");
      if (protocol === "COMMAND") return probeCommand(options, instance, check);
      const port = check.port ?? hostPort(instance, check.portIndex ?? 0);
      if (port === undefined) return { ok: false, cause: "The app has no such port" };
      const { host } = options;
      if (protocol === "TCP") return probeTcp(host, port, timeoutMs);
      const secure = protocol === "HTTPS";
      return probeHttp({ secure, host, port, path: check.path ?? "/", timeoutMs }, instance.ending.signal);
    },
    readiness: (instance) => probeReadiness(options.host, instance),
  };
}

/** A command in the task's sandbox with the task's environment; exit 0 is healthy. */
async function probeCommand(
  options: ProberOptions,
  instance: Instance,
  check: HealthCheck,
): Promise<ProbeResult> {
  const sandbox = sandboxOf(options.sandboxes, instance.taskId);
  try {
    const process = await options.runner.launch({
      argv: ["/bin/sh", "-c", check.command?.value ?? "false"],
      cwd: sandbox,
      env: environmentOf(instance, { base: options.baseEnv, host: options.host, sandbox }),
      stdoutFile: join(sandbox, "check.stdout"),
      stderrFile: join(sandbox, "check.stderr"),
    });
    const limit = linkedAbort([instance.ending.signal], Math.max(1, check.timeoutSeconds * 1000));
    limit.signal.addEventListener("abort", () => void process.stop(0).catch(() => undefined));
    const { code } = await process.exited.finally(limit.release);
    if (limit.signal.aborted) return { ok: false, cause: "no answer in time" };
    return code === 0 ? { ok: true } : { ok: false, cause: `Command exited with status ${code}` };
  } catch (error) {
    return { ok: false, cause: (error as Error).message };
  }
}

async function probeReadiness(host: string, instance: Instance): Promise<boolean> {
  const [check] = instance.app.readinessChecks ?? [];
  if (!check) return true;
  const { name } = check;
  const { taskId } = instance;
  const port = hostPort(
    instance,
    portsOf(instance.app).findIndex((one) => one.name === check.portName),
  );
  instance.readiness = { name, taskId, ready: false };
  if (port === undefined) return false;
  try {
    const secure = check.protocol === "HTTPS";
    const probe = { secure, host, port, path: check.path, timeoutMs: check.timeoutSeconds * 1000 };
    const answer = await ask(probe, instance.ending.signal);
    const ready = check.httpStatusCodesForReady.includes(answer.status);
    instance.readiness = { name, taskId, ready, ...(check.preserveLastResponse && { lastResponse: answer }) };
    return ready;
  } catch {
    return false;
  }
}

/** The port on this machine behind a port definition or mapping; a mapping without a host port is taken as it is. */
function hostPort({ app, ports }: Instance, index: number): number | undefined {
  const wanted = hostPortsWanted(app);
  if (wanted[index] !== undefined)
    return ports[wanted.slice(0, index).filter((port) => port !== undefined).length];
  return app.container?.portMappings?.[index]?.containerPort;
}
