import { z } from "zod";
import { configSchema } from "../config/schema.ts";

interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
}

/** The JSON schema of `sluice.yaml`, for editors. */
export function configJsonSchema(): object {
  return { ...z.toJSONSchema(configSchema, { io: "input" }), title: "Sluice's configuration" };
}

/** The reference page: every setting with its kind, its default and what it means. */
export function configPage(): string {
  const rows: string[] = [];
  addRows("", configJsonSchema() as SchemaNode, rows);
  return [
    "# Configuration",
    "",
    "`sluice up` reads `sluice.yaml` in its folder, or the file that `--config` names; without one, every setting has its default",
    "and everything runs on this machine. Unknown settings are errors. Relative paths start from the file's folder.",
    "Secrets are never in this file: it names the files that hold them.",
    "",
    "`<name>` stands for a name you choose: lower-case letters, digits and inner hyphens.",
    "",
    "| setting | kind | default | meaning |",
    "|---|---|---|---|",
    ...rows,
    "",
    "`sluice.schema.json` beside this page is the same as a JSON schema, for editors.",
    "",
  ].join("\n");
}

function addRows(path: string, node: SchemaNode, rows: string[]): void {
  if (path && node.description)
    rows.push(
      `| \`${path}\` | ${kindOf(node)} | ${defaultOf(node)} | ${node.description.replaceAll("|", "\\|")} |`,
    );
  for (const [key, child] of Object.entries(node.properties ?? {}))
    addRows(path ? `${path}.${key}` : key, child, rows);
  if (typeof node.additionalProperties === "object")
    addRows(`${path}.<name>`, node.additionalProperties, rows);
}

function kindOf(node: SchemaNode): string {
  if (node.enum) return node.enum.map((one) => `\`${String(one)}\``).join(", ");
  if (node.type === "array") return `list of ${kindOf(node.items ?? {})}`;
  if (node.properties) return "group";
  if (node.additionalProperties) return "by name";
  return node.type ?? "any";
}

function defaultOf(node: SchemaNode): string {
  if (node.default === undefined || typeof node.default === "object") return "";
  return `\`${JSON.stringify(node.default)}\``;
}
