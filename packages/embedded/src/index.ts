export { type PortPool, type PortPoolOptions, portPool } from "./process/free-ports.ts";
export {
  type Exit,
  type LaunchOptions,
  type LocalProcess,
  type ProcessRunner,
  type ProcessRunnerOptions,
  processRunner,
} from "./process/process-runner.ts";
