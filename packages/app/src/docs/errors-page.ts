import { ERROR_CODES, REASONS } from "@sluice/core";

/** The page of every error code and every reason, from the tables the code itself uses. */
export function errorsPage(): string {
  const codes = Object.entries(ERROR_CODES).map(
    ([code, [meaning, advice]]) => `| \`${code}\` | ${meaning} | ${advice} |`,
  );
  const reasons = Object.entries(REASONS).map(([reason, meaning]) => `| \`${reason}\` | ${meaning} |`);
  return [
    "# Errors and reasons",
    "",
    "A command that cannot do its work prints `✗ <sentence> [<code>]`, a hint below it, and exits with 2.",
    "",
    "| code | what it means | what to do |",
    "|---|---|---|",
    ...codes,
    "",
    "## Reasons",
    "",
    "Every job's status has one stable word that says why it is as it is, with a sentence beside it. Match the word, read the sentence.",
    "",
    "| reason | what it means |",
    "|---|---|",
    ...reasons,
    "",
  ].join("\n");
}
