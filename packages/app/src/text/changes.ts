import {
  type ChangeSummary,
  displayPath,
  type FieldChange,
  type Json,
  maskField,
  type Problem,
} from "@sluice/core";
import { GLYPH } from "./glyphs.ts";

const MOST_FIELDS = 4;
const LONGEST_VALUE = 40;

/** `► update apps/shop/web (instances 1 → 2)`. Values that may be secret are masked. */
export function changeLine(change: ChangeSummary): string {
  const fields = change.fields.map(maskField);
  const shown = fields.slice(0, MOST_FIELDS).map(fieldText);
  if (fields.length > MOST_FIELDS) shown.push(`and ${fields.length - MOST_FIELDS} more`);
  const detail = change.kind === "update" && shown.length > 0 ? ` (${shown.join(", ")})` : "";
  return `${GLYPH.begin} ${change.kind} ${change.key}${detail}${causeText(change)}`;
}

/** Whatever is not simply what Git says is never shown without saying so. */
function causeText({ cause }: ChangeSummary): string {
  if (cause === "adopt") return ": takes over a job that Sluice did not make";
  if (cause === "rollback") return ": back to the last healthy spec";
  return cause === "drift" ? ": changed in the scheduler, put right" : "";
}

/** `instances 1 → 2`, `+env.LEVEL •••`, `-healthChecks`. */
export function fieldText(field: FieldChange): string {
  if (field.from === undefined) return `+${field.path} ${valueText(field.to)}`;
  if (field.to === undefined) return `-${field.path}`;
  return `${field.path} ${valueText(field.from)} → ${valueText(field.to)}`;
}

function valueText(value: Json | undefined): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  const flat = text.replace(/\s+/g, " ");
  return flat.length > LONGEST_VALUE ? `${flat.slice(0, LONGEST_VALUE - 1)}…` : flat;
}

/** `✗ apps/shop/web.yaml:7: instances: must be a number`. */
export function problemLine(problem: Problem): string {
  const place = problem.line === undefined ? "" : `:${problem.line}`;
  const key = problem.key ? ` ${problem.key}:` : "";
  const hint = problem.hint ? ` (${problem.hint})` : "";
  return `${GLYPH.fail} ${displayPath(problem.file)}${place}:${key} ${problem.message}${hint}`;
}
