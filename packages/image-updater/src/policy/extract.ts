import { createContext, Script } from "node:vm";
import { SluiceError } from "@sluice/core";

/** Takes the part of a tag that says which is newer; undefined: the tag is none of those the pattern means. */
export type Extract = (tag: string) => string | undefined;

/** A tag has 128 characters: what takes longer than this, on however busy a machine, would take for ever. */
const LONGEST_MS = 1_000;
/** The same tags are asked for again and again. */
const MOST_KNOWN = 2_000;

/**
 * The pattern has to match the whole tag. The part is its group `version`, else its first group, else the whole. Patterns come from
 * the deploy repo and may be of the kind that takes for ever, so they run under a deadline, and not again once it was missed.
 * @throws JOB_INVALID where the deadline is over.
 */
export function extractor(pattern: string | undefined): Extract {
  if (pattern === undefined) return (tag) => tag;
  const match = matcher(pattern);
  const known = new Map<string, string | undefined>();
  let endless: SluiceError | undefined;
  return (tag) => {
    if (endless) throw endless;
    if (known.has(tag)) return known.get(tag);
    if (known.size >= MOST_KNOWN) known.clear();
    try {
      const found = match(tag);
      known.set(tag, found);
      return found;
    } catch (cause) {
      endless = new SluiceError("JOB_INVALID", `the pattern ${pattern} takes too long on the tag ${tag}`, {
        cause,
      });
      throw endless;
    }
  };
}

function matcher(pattern: string): Extract {
  const context = createContext({ source: `^(?:${pattern})$`, tag: "" });
  new Script("pattern = new RegExp(source, 'u')").runInContext(context);
  const match = new Script(
    "match = pattern.exec(tag); match === null ? undefined : match.groups?.version ?? match[1] ?? match[0]",
  );
  return (tag) => {
    context.tag = tag;
    const found: unknown = match.runInContext(context, { timeout: LONGEST_MS });
    return typeof found === "string" ? found : undefined;
  };
}
