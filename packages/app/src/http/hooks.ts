import { realpath } from "node:fs/promises";
import { sep } from "node:path";
import { type CommitId, SluiceError } from "@sluice/core";
import { type Reviewer, reviewer } from "@sluice/deployer";
import type { FastifyInstance } from "fastify";
import type { Environment } from "../engine/environment.ts";
import { changeLine, problemLine } from "../text/changes.ts";
import { count } from "../text/events.ts";
import { GLYPH } from "../text/glyphs.ts";
import type { HttpContext } from "./context.ts";
import { type FollowFrom, follow, followFrom } from "./follow.ts";
import { sendLines } from "./lines.ts";
import { concernedBy, type Push, parsePush } from "./pushed.ts";

type Reviewers = WeakMap<Environment, Reviewer>;
type Line = { text?: string; end?: string };

/** A plan longer than this is told in numbers. */
const MOST_CHANGES = 50;
const MOST_PROBLEMS = 100;
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
      yield { text: `${GLYPH.done} mirrored as ${environment.name}; nothing is deployed from it` };
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
    if (!environment.local) {
      const pattern = context.patterned.filter(({ name }) => name === environment.pattern);
      for (const one of [environment, ...pattern]) context.fetches.ask(one, { by: "git", delivery: to });
    }
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
