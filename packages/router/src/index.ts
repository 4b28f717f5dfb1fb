export type { Balancer, Loaded, RunningSlot } from "./balancer/balancer.ts";
export { type CommandsOptions, commands } from "./balancer/commands.ts";
export { type HaproxyOptions, haproxy } from "./balancer/haproxy.ts";
export { renderExample } from "./check-template.ts";
export { type RouterOptions, TIMING, type Timing } from "./options.ts";
export { type Router, router } from "./router.ts";
export { builtInTemplate } from "./templates.ts";
