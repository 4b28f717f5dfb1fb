export { type ListBranchesOptions, listBranches } from "./branches.ts";
export { type GitSource, type GitSourceOptions, gitSource } from "./git-source.ts";
export { DEFAULT_LIMITS, type SourceLimits } from "./limits.ts";
export { branchRef } from "./refs/branch-name.ts";
export { watchBranches } from "./refs/watch-branches.ts";
export type { PasswordAuth, RemoteAccess, SshAccess, TokenAuth } from "./remote/access.ts";
export { initBareRepository } from "./server/bare-repository.ts";
export { type GitHttpBackendOptions, type GitHttpHandler, gitHttpBackend } from "./server/http-backend.ts";
export type { AttributesAbove } from "./trees/attributes-above.ts";
