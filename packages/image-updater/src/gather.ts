import { OK, type Outcome, wait } from "@sluice/core";
import type { Pass } from "./pass.ts";

/** A burst of announcements becomes a handful of commits. */
export function gather(pass: Pass): Outcome {
  const { memory, settings, draft: drafted } = pass;
  if (!drafted) {
    memory.wanted = undefined;
    return OK;
  }
  const now = settings.clock.now();
  const { quietMs, maxDelayMs, pauseMs } = settings.pace;
  const text = JSON.stringify(drafted.changes.map(({ image, to }) => [image, to]));
  const { since, changed } = memory.wanted ?? { since: now, changed: now };
  memory.wanted = { text, since, changed: memory.wanted?.text === text ? changed : now };
  if (now - memory.lastCommitAt > memory.pauseMs * 2) memory.pauseMs = pauseMs;
  const due = Math.min(memory.wanted.changed + quietMs, since + maxDelayMs);
  // A person who pinned an image waits for it.
  const pinned = drafted.changes.every(({ announced }) => announced === undefined);
  const paced = pinned ? now : Math.max(due, memory.lastCommitAt + memory.pauseMs);
  const at = Math.max(paced, memory.notBefore);
  return at <= now ? OK : wait("Pending", "announcements are collected", at - now);
}
