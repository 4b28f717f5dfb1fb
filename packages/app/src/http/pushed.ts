import { realpath } from "node:fs/promises";
import { type CommitId, commitId, type EnvName, SluiceError } from "@sluice/core";
import { z } from "zod";
import type { Environment } from "../engine/environment.ts";
import type { HttpContext } from "./context.ts";

const commit = z
  .string()
  .regex(/^[0-9a-f]{40}$/)
  .nullable();

const pushSchema = z.object({
  /** Where the repository is, as the engine names it: the hook's working folder. */
  repository: z.string(),
  updates: z.array(z.object({ ref: z.string(), from: commit, to: commit })).max(10_000),
  quarantine: z.object({ objectDirectory: z.string(), alternates: z.string() }).optional(),
});
/** What a hook of a deploy repo tells of a push. */
export type Push = z.output<typeof pushSchema>;

const HEADS = "refs/heads/";

/** @throws USAGE */
export function parsePush(body: unknown): Push {
  const parsed = pushSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new SluiceError("USAGE", "this is no description of a push");
}

/** An environment whose branch a push makes, moves or deletes. */
export interface Concerned {
  readonly environment: Environment;
  readonly from: CommitId | undefined;
  readonly to: CommitId | undefined;
}

/** The environments of the branches the push moves; a branch that is only being made has one, too, if a pattern matches it. */
export async function concernedBy(
  push: Push,
  { environments, patterned }: Pick<HttpContext, "environments" | "patterned">,
): Promise<readonly Concerned[]> {
  const pushed = await realpath(push.repository).catch(() => push.repository);
  const concerned = new Map<EnvName, Concerned>();
  for (const one of [...environments, ...patterned]) {
    if ((await placeOf(one)) !== pushed) continue;
    for (const { ref, from, to } of push.updates) {
      const branch = ref.startsWith(HEADS) ? ref.slice(HEADS.length) : undefined;
      if (branch === undefined || !one.follows(branch)) continue;
      const environment = "environmentOf" in one ? one.environmentOf(branch) : one;
      if (concerned.has(environment.name)) continue;
      concerned.set(environment.name, {
        environment,
        from: from ? commitId(from) : undefined,
        to: to ? commitId(to) : undefined,
      });
    }
  }
  return [...concerned.values()];
}

async function placeOf({ local, repository }: Pick<Environment, "local" | "repository">): Promise<string> {
  return local ? realpath(repository).catch(() => repository) : repository;
}
