import { createContext, Script } from "node:vm";
import { SluiceError } from "@sluice/core";

/** Takes the part of a tag that says which is newer; undefined: the tag is none of those the pattern means. */
export type Extract = (tag: string) => string | undefined;

/** A tag has 128 characters: what takes longer than this would take for ever. */
const LONGEST_MS = 50;

/**
 * The pattern has to match the whole tag. The part is its group `version`, else its first group, else the whole. Patterns come from
 * the deploy repo and may be of the kind that takes for ever, so they run under a deadline.
 * @throws JOB_INVALID where the deadline is over.
 */
export function extractor(pattern: string | undefined): Extract {
  if (pattern === undefined) return (tag) => tag;
  const context = createContext({ source: `^(?:${pattern})$`, tag: "" });
  const compile = new Script("pattern = new RegExp(source, 'u')");
  compile.runInContext(context);
  const match = new Script(
    "match = pattern.exec(tag); match === null ? undefined : match.groups?.version ?? match[1] ?? match[0]",
  );
  return (tag) => {
    context.tag = tag;
    try {
      const found: unknown = match.runInContext(context, { timeout: LONGEST_MS });
      return typeof found === "string" ? found : undefined;
    } catch (cause) {
      throw new SluiceError("JOB_INVALID", `the pattern ${pattern} takes too long on the tag ${tag}`, {
        cause,
      });
    }
  };
}
