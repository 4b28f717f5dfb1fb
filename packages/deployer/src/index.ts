export { encodeSuspension, readSuspension, type Suspension, type SuspensionNote } from "./controls.ts";
export { type Deployer, deployer } from "./deployer.ts";
export { type DryRun, type DryRunOptions, dryRun } from "./dry-run.ts";
export type { DeployerOptions, DeployerTarget } from "./options.ts";
export { type ParsedPolicy, parsePolicy } from "./policy/parse-policy.ts";
export { POLICY_FILE, type Policy, type TargetPolicy } from "./policy/policy.ts";
export { type Review, type Reviewer, type ReviewerOptions, reviewer } from "./review/reviewer.ts";
export { summaryOf } from "./steps/make-plan.ts";
