export { type GitSourceOptions, gitSource } from "./git-source.ts";
export { branchRef } from "./refs/branch-name.ts";
export { initBareRepository } from "./server/bare-repository.ts";
export { type GitHttpBackendOptions, type GitHttpHandler, gitHttpBackend } from "./server/http-backend.ts";
