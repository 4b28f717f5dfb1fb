export { type ChronosOptions, chronos } from "./chronos/driver.ts";
export { chronosFormat } from "./chronos/format.ts";
export type { HttpOptions } from "./http/options.ts";
export { type MarathonOptions, marathon } from "./marathon/driver.ts";
export { marathonFormat } from "./marathon/format.ts";
export { type SchedulerKind, type SchedulerOptions, schedulerKind, schedulerKinds } from "./registry.ts";
export { type SwarmOptions, swarm } from "./swarm/driver.ts";
export { swarmFormat } from "./swarm/format.ts";
