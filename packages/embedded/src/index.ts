export {
  type EmbeddedChronos,
  type EmbeddedChronosOptions,
  embeddedChronos,
} from "./chronos/embedded-chronos.ts";
export type { ChronosEvent, EngineSettings as ChronosSettings } from "./chronos/engine.ts";
export type { RunOutcome as ChronosRunOutcome, Simulation as ChronosSimulation } from "./chronos/executor.ts";
export { chronosAnswers } from "./chronos/faults.ts";
export type { ProfileName as ChronosProfileName } from "./chronos/profile.ts";
export {
  type EmbeddedConsul,
  type EmbeddedConsulEvent,
  type EmbeddedConsulOptions,
  embeddedConsul,
} from "./consul/embedded-consul.ts";
export { type Fault, type Faults, type FaultyAnswer, faults, type Mishap } from "./faults/faults.ts";
export { type EmbeddedMarathon, embeddedMarathon } from "./marathon/embedded-marathon.ts";
export { marathonAnswers } from "./marathon/faults.ts";
export type { EmbeddedMarathonOptions } from "./marathon/options.ts";
export type { ProfileName as MarathonProfileName } from "./marathon/profiles.ts";
export type {
  SimulatedLaunch as MarathonLaunch,
  SimulatedTask as MarathonTask,
  Simulation as MarathonSimulation,
} from "./marathon/tasks/simulated-backend.ts";
export { type PortPool, type PortPoolOptions, portPool } from "./process/free-ports.ts";
export {
  type Exit,
  type LaunchOptions,
  type LocalProcess,
  type ProcessRunner,
  type ProcessRunnerOptions,
  processRunner,
} from "./process/process-runner.ts";
