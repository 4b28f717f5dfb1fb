import { closest, distance } from "fastest-levenshtein";

/** ` (did you mean "x"?)` for a near miss of a known word, else an empty text; ready to be put behind a message. */
export function suggest(word: string, known: readonly string[]): string {
  if (known.length === 0) return "";
  const best = closest(word.toLowerCase(), known as string[]);
  return distance(word.toLowerCase(), best.toLowerCase()) <= Math.max(2, word.length / 3)
    ? ` (did you mean "${best}"?)`
    : "";
}
