import { AGAIN, OK, type Outcome } from "@sluice/core";
import { encodeMarks, type Marks } from "./marks.ts";
import { filled, type Pass } from "./pass.ts";

/** Somebody else wrote the record meanwhile: it has to be read again. */
export class RecordMoved extends Error {}

/** Writes what is remembered where it differs from what lies there. */
export async function remember(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { written, marks } = filled(pass.record);
  const now: Marks = { marks };
  if (Buffer.compare(encodeMarks(now), encodeMarks(written)) === 0) return OK;
  try {
    await writeMarks(pass, now, signal);
    return OK;
  } catch (error) {
    if (error instanceof RecordMoved) return AGAIN;
    throw error;
  }
}

/** @throws RecordMoved, LOCK_LOST */
export async function writeMarks(pass: Pass, marks: Marks, signal: AbortSignal): Promise<void> {
  const { kv, layout } = pass.settings;
  const { index } = filled(pass.record);
  const op = { verb: "cas", key: layout.imageMarks, value: encodeMarks(marks), index } as const;
  const done = await kv.commit([op], { fence: pass.fence }, signal);
  if (!done.applied) throw new RecordMoved();
  pass.record = { index: done.index, written: marks, marks: { ...marks.marks } };
}
