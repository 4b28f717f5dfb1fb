import { type BuildRecord, listBuilds, type PushedBranch, requestBuild } from "@sluice/build-trigger";
import { type CommitId, SluiceError, suggest } from "@sluice/core";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { branchMatcher } from "../engine/branches/patterns.ts";
import { GLYPH } from "../text/glyphs.ts";
import type { HttpContext } from "./context.ts";

const HEADS = "refs/heads/";

const commit = z.string().regex(/^[0-9a-f]{40}$/);
const pushSchema = z.object({
  app: z.string(),
  repository: z.string().max(4096),
  updates: z
    .array(z.object({ ref: z.string().max(1024), from: commit.nullable(), to: commit.nullable() }))
    .max(10_000),
});
const askSchema = z.object({
  branch: z.string().min(1).max(1024),
  commit: commit,
  repository: z.string().max(4096).default(""),
});

/** Pushes of apps that ask for builds, and what became of them. */
export function buildRoutes(app: FastifyInstance, { config, kv, clock }: HttpContext): void {
  const requests = { kv, prefix: config.prefix, clock };
  const settingsOf = (name: string) => {
    const found = config.builds[name];
    if (found) return found;
    const known = Object.keys(config.builds);
    throw new SluiceError("NOT_FOUND", `builds of "${name}" are not configured${suggest(name, known)}`, {
      hint:
        known.length > 0 ? `There are ${known.join(", ")}.` : "Name the app under `builds` in sluice.yaml.",
    });
  };

  app.post("/hooks/build", async ({ body }) => {
    const push = parse(pushSchema, body);
    const built = branchMatcher(settingsOf(push.app).branches);
    const lines: string[] = [];
    for (const branch of push.updates.flatMap((update) => pushedBranch(update) ?? [])) {
      const name = branch.ref.slice(HEADS.length);
      if (!built(name)) continue;
      const { record, created } = await requestBuild(requests, { ...push, branch });
      lines.push(
        created
          ? `${GLYPH.begin} ${push.app}: a build of ${name} ${record.commit.slice(0, 8)} is asked for`
          : `${GLYPH.done} ${push.app}: the build of ${name} ${record.commit.slice(0, 8)} is known: ${record.state}`,
      );
    }
    return { lines: lines.length > 0 ? lines : [`${GLYPH.done} nothing is built from what was pushed`] };
  });

  app.get<{ Params: { app: string } }>("/api/v1/builds/:app", async ({ params }) => {
    settingsOf(params.app);
    return { builds: await listBuilds(requests, params.app) };
  });

  app.get("/api/v1/builds", async () => {
    const all = await Promise.all(Object.keys(config.builds).map((name) => listBuilds(requests, name)));
    const builds = all.flat().sort((a, b) => (a.requestedAt < b.requestedAt ? 1 : -1));
    return { builds };
  });

  app.post<{ Params: { app: string } }>(
    "/api/v1/builds/:app",
    async ({ params, body }): Promise<BuildRecord> => {
      settingsOf(params.app);
      const asked = parse(askSchema, body);
      const known = (await listBuilds(requests, params.app)).find(
        (one) => one.commit === asked.commit && one.ref === HEADS + asked.branch,
      );
      const from = known?.before;
      const branch = { ref: HEADS + asked.branch, from, to: asked.commit as CommitId };
      const repository = known?.repository ?? asked.repository;
      return (await requestBuild(requests, { app: params.app, repository, branch, again: true })).record;
    },
  );
}

function pushedBranch({
  ref,
  from,
  to,
}: {
  ref: string;
  from: string | null;
  to: string | null;
}): PushedBranch | undefined {
  if (!ref.startsWith(HEADS) || to === null) return undefined;
  return { ref, from: (from ?? undefined) as CommitId | undefined, to: to as CommitId };
}

function parse<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new SluiceError(
    "USAGE",
    `this asks for no build: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`,
  );
}
