import {
  type Desired,
  type DesiredFile,
  type DesiredJob,
  dependencyCycles,
  type FilePath,
  type JobKey,
  type Problem,
  resolveDesired,
  type TargetName,
} from "@sluice/core";
import { POLICY_FILE, type Policy } from "../policy/policy.ts";

/**
 * What the files want under a policy: core's `resolveDesired`, and the circles that only jobs and targets together make.
 * @param policyProblems problems of `deploy.yaml`: while it has any, nothing may be pruned, since folders may be meant to differ.
 */
export function resolveUnder(
  policy: Policy,
  files: ReadonlyMap<FilePath, DesiredFile>,
  policyProblems: readonly Problem[],
): Desired {
  const desired = withoutMixedCircles(resolveDesired(files), policy);
  if (policyProblems.length === 0) return desired;
  const broken = new Map<TargetName, readonly FilePath[]>();
  for (const target of policy.keys())
    broken.set(target, [POLICY_FILE, ...(desired.broken.get(target) ?? [])]);
  return { ...desired, broken, problems: [...policyProblems, ...desired.problems] };
}

/** A job may wait for a job of a target that itself waits for the first one's target: no rollout could ever start either. */
function withoutMixedCircles(desired: Desired, policy: Policy): Desired {
  const ordered = [...policy].filter(([, { dependsOn }]) => dependsOn.length > 0);
  if (ordered.length === 0) return desired;
  const circles = dependencyCycles(withTargetNodes(desired.jobs, policy));
  if (circles.length === 0) return desired;
  const jobs = new Map(desired.jobs);
  const stalled = new Map(desired.stalled);
  const problems = [...desired.problems];
  for (const key of circles.flat()) {
    const job = jobs.get(key);
    if (!job) continue;
    const problem: Problem = {
      file: job.file,
      line: job.line,
      key: "sluice.dependsOn",
      reason: "DependencyCycle",
      message: `what it depends on waits, by \`dependsOn\` in ${POLICY_FILE}, for the target ${job.target}`,
    };
    jobs.delete(key);
    stalled.set(key, problem);
    problems.push(problem);
  }
  return { ...desired, jobs, stalled, problems };
}

/** A target is a node of its own that depends on all its jobs; a job depends on the nodes its target waits for. */
function withTargetNodes(jobs: Desired["jobs"], policy: Policy): Map<JobKey, DesiredJob> {
  const nodes = new Map<JobKey, DesiredJob>();
  const members = new Map<TargetName, JobKey[]>();
  let sample: DesiredJob | undefined;
  for (const [key, job] of jobs) {
    sample = job;
    const after = (policy.get(job.target)?.dependsOn ?? []).map(targetNode);
    const dependsOn = [...job.options.dependsOn, ...after];
    nodes.set(key, { ...job, options: { ...job.options, dependsOn } });
    const keys = members.get(job.target);
    if (keys) keys.push(key);
    else members.set(job.target, [key]);
  }
  if (!sample) return nodes;
  for (const [target, dependsOn] of members) {
    const key = targetNode(target);
    nodes.set(key, { ...sample, key, options: { ...sample.options, dependsOn } });
  }
  return nodes;
}

/** No job's key: a job's id is never empty. */
function targetNode(target: TargetName): JobKey {
  return `${target}/` as JobKey;
}
