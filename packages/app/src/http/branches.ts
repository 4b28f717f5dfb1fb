import { type KvEntry, SluiceError } from "@sluice/core";
import type { FastifyInstance } from "fastify";
import type { PatternedEnvironment } from "../engine/branches/patterned.ts";
import { type BranchEntry, decodeRegistry } from "../engine/branches/registry.ts";
import type { HttpContext } from "./context.ts";

/** What is known of an environment of several branches, as the API tells it. */
export interface PatternView {
  readonly name: string;
  readonly repository: string;
  readonly patterns: readonly string[];
  /** Those that have an environment, `name`, whether they are still there or not. */
  readonly branches: readonly BranchEntry[];
}

/** `/api/v1/branches`, and the word of a person that what was mirrored of a branch may go. */
export function branchRoutes(app: FastifyInstance, context: HttpContext): void {
  const { kv, patterned, fetches } = context;

  app.get("/api/v1/branches", async () => {
    const entries = await kv.getMany(patterned.map((one) => one.registryKey));
    return { environments: patterned.map((one) => view(one, entries.get(one.registryKey))) };
  });

  app.post<{ Params: { name: string } }>("/api/v1/environments/:name/remove", async ({ params }) => {
    const { entry, one } = await find(params.name, context);
    if (entry.state === "present")
      throw new SluiceError("USAGE", `the branch ${entry.branch} is there; delete it first`);
    const key = one.environmentOf(entry.branch).layout.control("remove");
    // It names the absence it is meant for: it says nothing of a later one.
    const value = Buffer.from(JSON.stringify({ since: entry.since }));
    await kv.commit([{ verb: "set", key, value }]);
    fetches.ask(one, { by: "api", delivery: undefined });
    return entry;
  });
}

async function find(
  name: string,
  { kv, patterned }: HttpContext,
): Promise<{ readonly entry: BranchEntry; readonly one: PatternedEnvironment }> {
  const entries = await kv.getMany(patterned.map((one) => one.registryKey));
  for (const one of patterned) {
    const known = decodeRegistry(one.name, entries.get(one.registryKey)) ?? [];
    const entry = known.find((branch) => branch.name === name);
    if (entry) return { entry, one };
  }
  throw new SluiceError("NOT_FOUND", `no branch has an environment "${name}"`);
}

function view(
  { name, repository, config }: PatternedEnvironment,
  registry: KvEntry | undefined,
): PatternView {
  return {
    name,
    repository: repository.replace(/\/\/[^@/]+@/, "//"),
    patterns: config.source.branches ?? [],
    branches: decodeRegistry(name, registry) ?? [],
  };
}
