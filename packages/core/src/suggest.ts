import { closest, distance } from "fastest-levenshtein";

/** ` (did you mean "x"?)` for a near miss of a known word (case aside), else an empty text; ready to be put behind a message. */
export function suggest(word: string, known: readonly string[]): string {
  if (known.length === 0) return "";
  const lower = word.toLowerCase();
  const lowered = known.map((one) => one.toLowerCase());
  const nearest = closest(lower, lowered);
  const near = Math.min(word.length - 1, Math.max(2, word.length / 3));
  return distance(lower, nearest) <= near ? ` (did you mean "${known[lowered.indexOf(nearest)]}"?)` : "";
}
