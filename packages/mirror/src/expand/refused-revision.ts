import { displayPath, type Problem, SluiceError } from "@sluice/core";

/** Most problems that are told; the first ones are what a person mends. */
const MOST_TOLD = 20;

/** An error that says: this revision cannot be mirrored until somebody mends these files. */
export function refusedRevision(problems: readonly Problem[]): SluiceError {
  const [first] = problems;
  const others = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  const place = first?.line === undefined ? "" : `:${first.line}`;
  const message = first
    ? `${displayPath(first.file)}${place}: ${first.message}${others}`
    : "nothing is wrong";
  return new SluiceError("FILE_INVALID", message, { cause: { problems: problems.slice(0, MOST_TOLD) } });
}

/** The problems of such an error; undefined for any other. */
export function problemsOf(error: unknown): readonly Problem[] | undefined {
  if (!(error instanceof SluiceError) || error.code !== "FILE_INVALID") return undefined;
  return (error.cause as { problems?: readonly Problem[] } | undefined)?.problems;
}
