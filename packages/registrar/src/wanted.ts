import type { Container } from "./container.ts";
import type { WantedService } from "./plan.ts";
import { type NamingOptions, onSharedNetwork, servicesOf } from "./services.ts";

/**
 * What some containers are to be found as, by service id. Where two claim one id the first by its own id has it, so that no look
 * changes it. @param all the others too: a container may share the network of one of them.
 */
export function wantedServices(
  serving: readonly Container[],
  all: readonly Container[],
  options: NamingOptions,
): { readonly wanted: ReadonlyMap<string, WantedService>; readonly problems: ReadonlySet<string> } {
  const wanted = new Map<string, WantedService>();
  const problems = new Set<string>();
  for (const container of [...serving].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const found = servicesOf(onSharedNetwork(container, all), options);
    for (const problem of found.problems) problems.add(problem);
    for (const service of found.services) {
      if (!wanted.has(service.id)) wanted.set(service.id, { service, container });
      else problems.add(`${container.name}: another container is registered as "${service.id}" already`);
    }
  }
  return { wanted, problems };
}
