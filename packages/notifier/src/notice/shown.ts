import { type ChangeSummary, type FieldChange, type Json, maskField } from "@sluice/core";
import { cut, type NoticeJob, oneLine, type ShownField } from "./notice.ts";

const MOST_FIELDS = 3;
const LONGEST_VALUE = 120;
const IMAGE = /(^|\.)image$/i;

/** A change of a plan in few words: the image first, then the shortest of the other fields. */
export function shownChange({ key, kind, fields }: ChangeSummary): NoticeJob {
  const first = [...fields].sort((a, b) => rank(a) - rank(b) || a.path.length - b.path.length);
  const shown = first.slice(0, MOST_FIELDS).map(shownField);
  return { key, change: kind, ...(shown.length > 0 ? { fields: shown } : {}) };
}

function rank({ path }: FieldChange): number {
  return IMAGE.test(path) ? 0 : 1;
}

function shownField(field: FieldChange): ShownField {
  const { path, from, to } = maskField(field);
  return { path: cut(oneLine(path), LONGEST_VALUE), from: valueText(from), to: valueText(to) };
}

function valueText(value: Json | undefined): string {
  if (value === undefined) return "(none)";
  return cut(oneLine(typeof value === "string" ? value : JSON.stringify(value)), LONGEST_VALUE);
}
