import type { Health, Json, SyncStatus } from "@sluice/core";
import Table from "cli-table3";
import colors from "picocolors";
import { stringify } from "yaml";

export type OutputFormat = "table" | "json" | "yaml";

/** `value` as a program wants it. Ends with a line end. */
export function machineText(format: "json" | "yaml", value: unknown): string {
  return format === "json"
    ? `${JSON.stringify(value, undefined, 2)}\n`
    : stringify(JSON.parse(JSON.stringify(value)) as Json);
}

/** Columns under their titles, without lines: easy to read and to cut. */
export function tableText(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const nothing = {
    top: "",
    "top-mid": "",
    "top-left": "",
    "top-right": "",
    bottom: "",
    "bottom-mid": "",
    "bottom-left": "",
    "bottom-right": "",
  };
  const inner = {
    left: "",
    "left-mid": "",
    mid: "",
    "mid-mid": "",
    right: "",
    "right-mid": "",
    middle: "  ",
  };
  const table = new Table({
    head: titles.map((title) => colors.bold(title)),
    chars: { ...nothing, ...inner },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  for (const row of rows) table.push([...row]);
  return `${table.toString().replace(/[ \t]+$/gm, "")}\n`;
}

export function healthText(health: Health): string {
  if (health === "Healthy") return colors.green(health);
  if (health === "Degraded" || health === "Missing") return colors.red(health);
  return colors.yellow(health);
}

export function syncText(sync: SyncStatus): string {
  return sync === "Synced" ? colors.green(sync) : colors.yellow(sync);
}
