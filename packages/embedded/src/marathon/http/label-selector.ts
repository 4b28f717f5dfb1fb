import { Refusal } from "../refusal.ts";

/** Whether an app's labels are selected. */
export type Selector = (labels: Readonly<Record<string, string>>) => boolean;

const WORD = String.raw`(?:[^\\,!=()\s]|\\.)+`;
const COMPARISON = new RegExp(`^(${WORD})\\s*(==|!=)\\s*(${WORD})$`);
const MEMBERSHIP = new RegExp(
  `^(${WORD})\\s+(in|notin)\\s*\\(\\s*((?:${WORD})(?:\\s*,\\s*(?:${WORD}))*)\\s*\\)$`,
);
const EXISTENCE = new RegExp(`^(${WORD})$`);

/**
 * Reads Marathon's label selectors: `k`, `k==v`, `k!=v`, `k in (a,b)`, `k notin (a,b)`, joined by commas that mean "and".
 * The key must exist for every form, also for the negative ones. @throws Refusal 422 for anything else.
 */
export function labelSelector(text: string): Selector {
  const parts = terms(text).map((term) => selectorOf(term, text));
  return (labels) => parts.every((selects) => selects(labels));
}

function selectorOf(term: string, whole: string): Selector {
  const comparison = COMPARISON.exec(term);
  if (comparison) {
    const [key, value] = [plain(comparison[1]), plain(comparison[3])];
    return (labels) => labels[key] !== undefined && (labels[key] === value) === (comparison[2] === "==");
  }
  const membership = MEMBERSHIP.exec(term);
  if (membership) {
    const key = plain(membership[1]);
    const values = terms(membership[3] ?? "").map(plain);
    return (labels) => {
      const value = labels[key];
      return value !== undefined && values.includes(value) === (membership[2] === "in");
    };
  }
  if (!EXISTENCE.test(term)) throw new Refusal(422, { message: `Can not parse label selector: ${whole}` });
  const key = plain(term);
  return (labels) => labels[key] !== undefined;
}

/** Splits at commas that are neither escaped nor in parentheses. */
function terms(text: string): string[] {
  const found = [""];
  let depth = 0;
  for (const token of text.match(/\\.|[\s\S]/g) ?? []) {
    if (token === "(") depth++;
    if (token === ")") depth--;
    if (token === "," && depth === 0) found.push("");
    else found[found.length - 1] += token;
  }
  return found.map((term) => term.trim());
}

function plain(word = ""): string {
  return word.replace(/\\(.)/g, "$1");
}
