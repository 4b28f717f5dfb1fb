export { type ListBranchesOptions, listBranches } from "./branches.ts";
export type { SigningKey } from "./committer/commit-object.ts";
export { type GitCommitterOptions, gitCommitter } from "./committer/git-committer.ts";
export { type GitSource, type GitSourceOptions, gitSource } from "./git-source.ts";
export {
  type GitHistory,
  type GitHistoryOptions,
  gitHistory,
  type HistoryStep,
} from "./history/git-history.ts";
export { DEFAULT_LIMITS, type SourceLimits } from "./limits.ts";
export { type GitNotesOptions, gitNotes } from "./notes/git-notes.ts";
export { branchRef } from "./refs/branch-name.ts";
export { watchBranches } from "./refs/watch-branches.ts";
export type { PasswordAuth, RemoteAccess, SshAccess, TokenAuth } from "./remote/access.ts";
export { initBareRepository } from "./server/bare-repository.ts";
export { type GitHttpBackendOptions, type GitHttpHandler, gitHttpBackend } from "./server/http-backend.ts";
export type { AttributesAbove } from "./trees/attributes-above.ts";
export { type TreeCache, treeCache } from "./trees/tree-cache.ts";
