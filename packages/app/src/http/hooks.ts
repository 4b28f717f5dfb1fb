import { realpath } from "node:fs/promises";
import { sep } from "node:path";
import { type CommitId, commitId, type EnvName, SluiceError } from "@sluice/core";
import { type Reviewer, reviewer } from "@sluice/deployer";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Environment } from "../engine/environment.ts";
import { changeLine, problemLine } from "../text/changes.ts";
import { count } from "../text/events.ts";
import { GLYPH } from "../text/glyphs.ts";
import type { HttpContext } from "./context.ts";
import { type FollowFrom, follow, followFrom } from "./follow.ts";
import { sendLines } from "./lines.ts";

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
type Push = z.output<typeof pushSchema>;
type Reviewers = WeakMap<Environment, Reviewer>;
type Line = { text?: string; end?: string };

/** A plan longer than this is told in numbers. */
const MOST_CHANGES = 50;
const MOST_PROBLEMS = 100;
const HEADS = "refs/heads/";
const FOLLOW_MS = 10 * 60_000;
/** How many pushes' starting points are remembered between their two hooks. */
const REMEMBERED = 1_000;

/** What the hooks of a deploy repo ask: is this push any good, and how does it fare? */
export function hookRoutes(app: FastifyInstance, context: HttpContext): void {
  const reviewers: Reviewers = new WeakMap();
  const starts = new Map<string, FollowFrom>();

  app.post("/hooks/git/review", async (request, reply) => {
    const push = parsePush(request.body);
    const work = (signal: AbortSignal) => reviewPush(push, context, reviewers, starts, signal);
    return sendLines(request, reply, context.signal, work);
  });

  app.post("/hooks/git/follow", async (request, reply) => {
    const push = parsePush(request.body);
    return sendLines(request, reply, context.signal, (signal) => followPush(push, context, starts, signal));
  });
}

function parsePush(body: unknown): Push {
  const parsed = pushSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new SluiceError("USAGE", "this is no description of a push");
}

async function* reviewPush(
  push: Push,
  context: HttpContext,
  reviewers: Reviewers,
  starts: Map<string, FollowFrom>,
  signal: AbortSignal,
): AsyncIterable<Line> {
  let refused = false;
  const concerned = await concernedBy(push, context);
  for (const { environment, from, to } of concerned) {
    const title = concerned.length > 1 ? `${environment.name}: ` : "";
    if (!to && environment.pattern) {
      const { grace } = environment.config.source.vanished;
      yield {
        text: `${GLYPH.wait} ${environment.name} is removed when its branch has been gone for ${grace}`,
      };
      continue;
    }
    if (!to) {
      yield {
        text: `${GLYPH.fail} ${title}${environment.config.source.branch} is what ${environment.name} runs; deleting it is refused`,
      };
      refused = true;
      continue;
    }
    const known = reviewers.get(environment) ?? reviewer({ formats: environment.formats });
    reviewers.set(environment, known);
    const [review, start] = await Promise.all([
      judge(environment, known, { from, to }, push.quarantine, signal),
      followFrom(context.kv, environment).catch(() => undefined),
    ]);
    if (start) remember(starts, `${environment.name} ${to}`, start);
    for (const problem of review.problems.slice(0, MOST_PROBLEMS)) yield { text: problemLine(problem) };
    if (review.problems.length > 0) {
      yield {
        text: `${GLYPH.fail} ${title}${count(review.problems.length, "problem")}; the push is refused, nothing was changed`,
      };
      refused = true;
      continue;
    }
    if (!environment.deploys) {
      yield { text: `${GLYPH.done} ${title}is mirrored; nothing is deployed from it` };
      continue;
    }
    for (const change of review.changes.slice(0, MOST_CHANGES)) yield { text: title + changeLine(change) };
    if (review.changes.length > MOST_CHANGES)
      yield { text: `${GLYPH.begin} ${title}and ${review.changes.length - MOST_CHANGES} more` };
    if (review.changes.length === 0) yield { text: `${GLYPH.done} ${title}no job changes` };
  }
  yield { end: refused ? "refused" : "accepted" };
}

async function judge(
  environment: Environment,
  known: Reviewer,
  { from, to }: { from: CommitId | undefined; to: CommitId },
  quarantine: Push["quarantine"],
  signal: AbortSignal,
) {
  const source = await environment.openSource(await safeQuarantine(environment, quarantine));
  try {
    return await known.review(source, from, to, signal);
  } finally {
    await source.close();
  }
}

/** Objects are only ever read from inside the repository that is configured. */
async function safeQuarantine(
  environment: Environment,
  quarantine: Push["quarantine"],
): Promise<Push["quarantine"]> {
  if (!quarantine) return undefined;
  const top = (await realpath(environment.repository)) + sep;
  for (const folder of [quarantine.objectDirectory, ...quarantine.alternates.split(":").filter(Boolean)]) {
    if (!((await realpath(folder)) + sep).startsWith(top))
      throw new SluiceError("USAGE", "the push's objects are not inside the repository that is configured");
  }
  return quarantine;
}

async function* followPush(
  push: Push,
  context: HttpContext,
  starts: Map<string, FollowFrom>,
  signal: AbortSignal,
): AsyncIterable<Line> {
  const { kv, clock } = context;
  const concerned = await concernedBy(push, context);
  for (const { environment, to } of concerned) {
    if (!to) continue;
    // A repository on this machine is watched; of another one only its hook tells.
    if (!environment.local) context.fetches.ask(environment, { by: "git", delivery: to });
    const from = starts.get(`${environment.name} ${to}`);
    const options = {
      kv,
      environment,
      commit: to,
      from,
      plan: from === undefined,
      clock,
      deadlineMs: FOLLOW_MS,
    };
    for await (const line of follow(options, signal)) if (line.text) yield { text: line.text };
  }
  if (concerned.length === 0) yield { text: `${GLYPH.done} nothing is deployed from what was pushed` };
}

function remember(starts: Map<string, FollowFrom>, key: string, start: FollowFrom): void {
  starts.delete(key);
  starts.set(key, start);
  const [oldest] = starts.keys();
  if (starts.size > REMEMBERED && oldest !== undefined) starts.delete(oldest);
}

interface Concerned {
  readonly environment: Environment;
  readonly from: CommitId | undefined;
  readonly to: CommitId | undefined;
}

/** The environments of the branches the push moves; a branch that is only being made has one, too, if a pattern matches it. */
async function concernedBy(
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
