import type { JobKey, TargetName } from "@sluice/core";

/** How a job's part of a rollout ended; `unfinished`: it was cut short and is taken up again by a later pass. */
export type Ending = "healthy" | "failed" | "unfinished";

/** A job in a rollout and what it waits for. There must be no circle, targets included. */
export interface Node {
  readonly key: JobKey;
  readonly target: TargetName;
  readonly dependsOn: readonly JobKey[];
  /** Targets all of whose jobs in this rollout come first. */
  readonly afterTargets: readonly TargetName[];
}

export interface GraphWork<N extends Node> {
  /** Called once all it waits for is healthy. */
  run(node: N): Promise<Ending>;
  /** Called instead of `run` where something it waits for is not going to be healthy. */
  blocked(node: N, why: string): void;
  /** Why a job that is not in this rollout is not ready; undefined: it is. */
  objection(key: JobKey): string | undefined;
  /** The same for what a target holds besides this rollout's jobs. */
  targetObjection(target: TargetName): string | undefined;
  /** Called when `run` threw: the rollout is to be cut short. */
  broke(error: unknown): void;
}

/**
 * Runs every node as soon as what it waits for is healthy; resolves, with those that were cut short, when all have ended. Nodes meet only in promises made
 * beforehand, so a chain may be as long as the repository has jobs.
 */
export async function runGraph<N extends Node>(nodes: readonly N[], work: GraphWork<N>): Promise<N[]> {
  const ends = new Map<JobKey, Settled>(nodes.map((node) => [node.key, settled()]));
  const targets = targetEnds(nodes, ends);

  async function waitFor(node: N): Promise<"ready" | "unfinished" | { readonly why: string }> {
    for (const key of node.dependsOn) {
      const end = await ends.get(key)?.promise;
      if (end === "unfinished") return end;
      const why = end === "failed" ? `${key} failed` : end === undefined ? work.objection(key) : undefined;
      if (why !== undefined) return { why };
    }
    for (const target of node.afterTargets) {
      const end = await targets.get(target);
      if (end === "unfinished") return end;
      const why = end === "failed" ? `a job of the target ${target} failed` : work.targetObjection(target);
      if (why !== undefined) return { why };
    }
    return "ready";
  }

  async function take(node: N): Promise<Ending> {
    const state = await waitFor(node);
    if (state === "unfinished") return state;
    if (state === "ready") return await work.run(node);
    work.blocked(node, state.why);
    return "failed";
  }

  const unfinished: N[] = [];
  await Promise.all(
    nodes.map(async (node) => {
      let end: Ending = "unfinished";
      try {
        end = await take(node);
      } catch (error) {
        work.broke(error);
      }
      if (end === "unfinished") unfinished.push(node);
      ends.get(node.key)?.resolve(end);
    }),
  );
  return unfinished;
}

interface Settled {
  readonly promise: Promise<Ending>;
  resolve(end: Ending): void;
}

function settled(): Settled {
  let resolve: (end: Ending) => void = () => undefined;
  const promise = new Promise<Ending>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** For every target that somebody waits for: how all its jobs of this rollout ended, the worst of them. */
function targetEnds(
  nodes: readonly Node[],
  ends: ReadonlyMap<JobKey, Settled>,
): ReadonlyMap<TargetName, Promise<Ending>> {
  const awaited = new Map<TargetName, Promise<Ending>[]>();
  for (const { afterTargets } of nodes) for (const target of afterTargets) awaited.set(target, []);
  for (const node of nodes) {
    const end = ends.get(node.key);
    if (end) awaited.get(node.target)?.push(end.promise);
  }
  return new Map([...awaited].map(([target, promises]) => [target, Promise.all(promises).then(worst)]));
}

function worst(ends: readonly Ending[]): Ending {
  if (ends.includes("failed")) return "failed";
  return ends.includes("unfinished") ? "unfinished" : "healthy";
}
