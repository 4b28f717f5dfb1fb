import { AGAIN, backoffMs, isSluiceError, OK, type Outcome, wait } from "@sluice/core";
import { commitMessage, versionText } from "./message.ts";
import { filled, type Pass } from "./pass.ts";
import { RecordMoved, writeMarks } from "./remember.ts";

const RACE = { firstMs: 100, mostMs: 10_000 };

/** One commit for all images of the round, on top of exactly the commit that was read. */
export async function commit(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { settings, memory, draft } = pass;
  if (!draft) return OK;
  const { marks } = filled(pass.record);
  const parent = filled(pass.head);
  try {
    const made = await settings.committer.commit(
      {
        parent,
        edits: draft.edits,
        message: commitMessage(draft.changes),
        made: async (one) =>
          writeMarks(pass, { marks, pending: { commit: one, marks: draft.marks } }, signal),
      },
      signal,
    );
    committed(pass, made);
    filled(pass.record).marks = { ...marks, ...draft.marks };
    return OK;
  } catch (error) {
    if (error instanceof RecordMoved) return AGAIN;
    if (!isSluiceError(error, "GIT_CONFLICT", "GIT_REFUSED")) throw error;
    const raced = error.code === "GIT_CONFLICT";
    const pause = raced ? backoffMs(memory.races++, RACE, settings.random) : settings.intervalMs;
    memory.notBefore = settings.clock.now() + pause;
    return wait(raced ? "Conflict" : "Refused", error.message, pause);
  }
}

function committed({ settings, memory, draft }: Pass, commit: NonNullable<Pass["head"]>): void {
  const { clock, emit, pace } = settings;
  memory.races = 0;
  memory.wanted = undefined;
  memory.pauseMs = Math.min(memory.pauseMs * 2, pace.mostPauseMs);
  memory.lastCommitAt = clock.now();
  const changes = filled(draft).changes.map(({ image, from, to, places }) => ({
    image,
    from: [...new Set(from.map(versionText))].join(", "),
    to: versionText(to),
    places: places.length,
  }));
  emit({ type: "image.committed", commit, changes });
}
