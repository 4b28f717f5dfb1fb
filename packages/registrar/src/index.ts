export type {
  Container,
  ContainerEngine,
  ContainerHealth,
  ContainerPort,
  ListedContainer,
  PortBinding,
} from "./container.ts";
export { type DockerEngineOptions, dockerEngine } from "./docker/docker-engine.ts";
export { type Registrar, type RegistrarOptions, registrar } from "./registrar.ts";
export type { NamingOptions } from "./services.ts";
