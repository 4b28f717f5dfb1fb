/** One item of a text or a path, or any number of items. */
type Step = ((item: string) => boolean) | "many";

/**
 * A pattern of Git (`git help ignore`, "PATTERN FORMAT") against a whole path: `*` and `?` stay within a folder, `**` crosses
 * folders, `[a-z]`, `[!a]` and `[[:digit:]]` choose, a backslash makes plain. Both are bytes, one per character. A pattern
 * that is malformed matches nothing.
 *
 * Whoever pushes writes these: no pattern may take more time than its length times the path's, as a regular expression with
 * a few stars does.
 */
export function gitGlob(pattern: string): (path: string) => boolean {
  const [, plain = "", stars] = STARS_BEHIND_PLAIN.exec(pattern) ?? [];
  if (stars === undefined) return wholeGlob(pattern);
  const behind = wholeGlob(stars);
  return (path) => path.startsWith(plain) && behind(path.slice(plain.length));
}

/**
 * Git compares what comes before the first special character by itself. What is behind it then begins a pattern, so that two stars
 * there cross folders although no slash is before them: `/a**` is everything that begins with an `a` (seen in Git 2.39).
 */
const STARS_BEHIND_PLAIN = /^([^*?[\\]*[^*?[\\/])(\*\*+(?:\/[\s\S]*)?)$/;

function wholeGlob(pattern: string): (path: string) => boolean {
  const segments = pattern.split("/");
  // At the end, two stars are everything inside a folder, and not the folder.
  if (MANY_FOLDERS.test(segments.at(-1) ?? "")) segments.push("*");
  const steps = segments.map(segmentStep);
  return (path) => matches(steps, path.split("/"));
}

/** Git takes more than two stars for two. */
const MANY_FOLDERS = /^\*\*+$/;

function segmentStep(segment: string): Step {
  if (MANY_FOLDERS.test(segment)) return "many";
  const steps = (segment.match(TOKENS) ?? []).map(characterStep);
  return (text) => matches(steps, text);
}

/** An escaped character, stars, a set of characters, or one character. */
const TOKENS = /\\[\s\S]|\*+|\[[!^]?\]?(?:\[:[a-z]+:\]|\\[\s\S]|[^\]\\])*\]|[\s\S]/g;

function characterStep(token: string): Step {
  if (token.startsWith("*")) return "many";
  if (token === "?") return () => true;
  if (token === "[" || token === "\\") return () => false;
  if (token.startsWith("[")) return setStep(token.slice(1, -1));
  const plain = token.at(-1);
  return (character) => character === plain;
}

const CLASSES: Readonly<Record<string, string>> = {
  alnum: "A-Za-z0-9",
  alpha: "A-Za-z",
  blank: " \\t",
  cntrl: "\\x00-\\x1f\\x7f",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-\\/:-@\\[-`{-~",
  space: "\\s",
  upper: "A-Z",
  xdigit: "0-9A-Fa-f",
};

function setStep(set: string): Step {
  const body = set
    .replace(/^[!^]/, "")
    .replace(/\[:([a-z]+):\]|\\([\s\S])|[^-]/g, (all, name?: string, escaped?: string) => {
      if (name !== undefined) return CLASSES[name] ?? "";
      const one = escaped ?? all;
      return /\w/.test(one) ? one : `\\${one}`;
    });
  try {
    const expression = new RegExp(/^[!^]/.test(set) ? `[^${body}]` : `[${body}]`);
    return (character) => expression.test(character);
  } catch {
    return () => false;
  }
}

/** Only ever goes back to the last "many": an earlier one that took more would gain nothing. */
function matches(steps: readonly Step[], items: ArrayLike<string>): boolean {
  let next = 0;
  let many = -1;
  let taken = 0;
  for (let at = 0; at < items.length; ) {
    const step = steps[next];
    if (step === "many") {
      many = next++;
      taken = at;
    } else if (step?.(items[at] as string)) {
      next++;
      at++;
    } else if (many >= 0) {
      next = many + 1;
      at = ++taken;
    } else return false;
  }
  while (steps[next] === "many") next++;
  return next === steps.length;
}
