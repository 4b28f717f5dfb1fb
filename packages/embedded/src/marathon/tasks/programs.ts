import type { App, PodContainer } from "../model.ts";
import { endpointsOf } from "../pod/pod-app.ts";
import type { Instance } from "./instance.ts";

/** One process of a task. */
export interface Program {
  argv: [string, ...string[]];
  /** Where it runs, below the task's sandbox; empty: in it. */
  folder: string;
  /** Variables it has besides those of every task. */
  env(instance: Instance): Record<string, string>;
}

/** What is to be run for an instance; undefined when some of it is known only to an image. */
export function programsOf({ cmd, args, pod }: App): readonly Program[] | undefined {
  if (pod) return podPrograms(pod);
  const argv = cmd ? shell(cmd) : words(args ?? []);
  return argv && [{ argv, folder: "", env: () => ({}) }];
}

function podPrograms(pod: NonNullable<App["pod"]>): readonly Program[] | undefined {
  const programs = pod.containers.flatMap((container) => {
    const argv = argvOf(container);
    const own = texts({ ...(pod.environment as Variables), ...container.environment });
    const env = (instance: Instance) => ({ ...endpointVariables(instance), ...own });
    return argv ? [{ argv, folder: container.name, env }] : [];
  });
  return programs.length === pod.containers.length ? programs : undefined;
}

type Variables = PodContainer["environment"];

function argvOf({ exec }: PodContainer): Program["argv"] | undefined {
  if (!exec) return undefined;
  return "shell" in exec.command ? shell(exec.command.shell) : words(exec.command.argv);
}

function shell(command: string): Program["argv"] {
  return ["/bin/sh", "-c", command];
}

function words([first, ...rest]: readonly string[]): Program["argv"] | undefined {
  return first === undefined ? undefined : [first, ...rest];
}

/** Secrets are left out, having no store here. */
function texts(variables: Variables = {}): Record<string, string> {
  const own = Object.entries(variables).filter((one): one is [string, string] => typeof one[1] === "string");
  return Object.fromEntries(own);
}

/** `EP_<NAME>` and `EP_HOST_<NAME>`: here, where every process shares the host's network, the same port. */
function endpointVariables({ app, ports }: Instance): Record<string, string> {
  const endpoints = endpointsOf(app.pod?.containers ?? []);
  const pairs = endpoints.flatMap(({ name }, index) => {
    const variable = name.toUpperCase().replaceAll("-", "_");
    const port = String(ports[index] ?? 0);
    return [
      [`EP_${variable}`, port],
      [`EP_HOST_${variable}`, port],
    ];
  });
  return Object.fromEntries(pairs);
}
