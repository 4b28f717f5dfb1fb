export { run } from "./cli/main.ts";
export { loadConfig, parseConfig } from "./config/load.ts";
export { type Config, configSchema } from "./config/schema.ts";
export type { EngineOptions } from "./engine/options.ts";
export { chooseRoles, ROLES, type Role } from "./engine/roles.ts";
export { type Engine, startEngine } from "./engine/start.ts";
