import { stringify } from "yaml";
import type { Note } from "./notes.ts";
import type { EnvironmentPlan, ImportPlan } from "./plan-import.ts";
import type { RepositoryPlan } from "./repository.ts";

/** @param name of the file that was imported. @returns the text of a `sluice.yaml`; it holds no secret. */
export function renderConfig({ environments, webhooks, notes }: ImportPlan, name: string): string {
  const lines = [
    `# Made from ${JSON.stringify(name)} by \`sluice import git2consul\`; docs/from-git2consul.md explains it.`,
    ...notesAsComments(notes),
    "",
    "# What Sluice itself keeps in Consul is below this key: revisions, locks, and which keys are whose.",
    "prefix: sluice",
    "",
    "consul:",
    "  # As git2consul's --endpoint, --port and --secure, or CONSUL_ENDPOINT, CONSUL_PORT and CONSUL_SECURE, said.",
    "  address: http://127.0.0.1:8500",
    "  # The token of --token or TOKEN, in a file of its own.",
    "  # tokenFile: secrets/consul-token",
    ...webhookLines([...webhooks]),
    "",
    "environments:",
    ...environments.flatMap(environmentLines),
  ];
  return `${lines.join("\n")}\n`;
}

function notesAsComments(notes: readonly Note[]): string[] {
  if (notes.length === 0) return [];
  const texts = notes.map(
    ({ line, option, attention, message }) =>
      `# ${attention ? "!" : "-"} line ${line}, ${option}: ${message}`,
  );
  // A line end in an option's name must not end the comment.
  return ["#", "# Marked with !: for you to look at.", ...texts.map((text) => text.replace(/\s+/g, " "))];
}

function webhookLines(webhooks: readonly string[]): string[] {
  if (webhooks.length === 0) return [];
  return [
    "",
    "# Webhooks are taken only with a signature. Put a secret in each file, then take the # away.",
    "# webhooks:",
    ...[...webhooks].sort().map((one) => `#   ${one}: { secretFile: secrets/${one} }`),
    "# http:",
    "#   host: 0.0.0.0",
    "#   tokenFile: secrets/api-token",
  ];
}

function environmentLines({
  name,
  origin,
  branch,
  repository,
  interval,
  prefix,
  ref,
}: EnvironmentPlan): string[] {
  const source = [
    setting("repository", repository.url),
    setting("branch", branch),
    interval ? setting("interval", interval) : "",
    ...authLines(repository),
  ];
  const layout = [
    prefix === "" ? "" : setting("prefix", prefix),
    ...ruleLines(repository),
    "# git2consul trimmed every file. Without this, every byte is kept, and files that end with a line end change once.",
    "trim: true",
    ...(ref === undefined
      ? []
      : [
          "# git2consul's record of the commit it mirrored; kept up to date for readers that wait for it.",
          setting("ref", ref),
          "writeRef: true",
        ]),
  ];
  return [
    `  # ${origin}`,
    `  ${name}:`,
    "    source:",
    ...indented(source),
    "    layout:",
    ...indented(layout),
  ];
}

function authLines({ username }: RepositoryPlan): string[] {
  if (username === undefined) return [];
  return ["# auth:", `#   username: ${scalar(username)}`, "#   passwordFile: secrets/git-password"];
}

function ruleLines({ sourceRoot, expand, dropExtensions, commonProperties }: RepositoryPlan): string[] {
  const rules = sourceRoot === "" ? [] : [setting("sourceRoot", sourceRoot)];
  if (!expand) return rules;
  return [
    ...rules,
    "expand: true",
    ...(dropExtensions ? ["dropExtensions: true"] : []),
    "# git2consul left lists out; `index`, `json` and `join` keep them.",
    "arrays: ignore",
    "# A file that cannot be read stays as it is, as with git2consul; `refuse` is safer.",
    "invalid: raw",
    ...(commonProperties === "" ? [] : [setting("commonProperties", commonProperties)]),
  ];
}

function indented(lines: readonly string[]): string[] {
  return lines.filter((line) => line !== "").map((line) => `      ${line}`);
}

function setting(name: string, value: string): string {
  return `${name}: ${scalar(value)}`;
}

/** A text on one line, quoted where YAML would take it for something else. */
function scalar(value: string): string {
  const plain = stringify(value, { lineWidth: 0 }).trim();
  return plain.includes("\n") ? JSON.stringify(value) : plain;
}
