import { displayPath, type FileEdit, OK, type Outcome } from "@sluice/core";
import type { Mark, Version } from "./decide.ts";
import { type EditedPlace, editPlaces } from "./edit/edit-places.ts";
import type { ImageChange } from "./message.ts";
import { filled, type Pass } from "./pass.ts";

interface Edited {
  readonly from: Version[];
  readonly places: string[];
}

/** What the files are to be: every place of every image that has a target, in one draft. */
export function draft(pass: Pass): Outcome {
  const targets = filled(pass.targets);
  const edits: FileEdit[] = [];
  const edited = new Map<string, Edited>();
  for (const { path, text, found } of filled(pass.scan).files.values()) {
    const names = [...found.places, ...found.refused].map(({ name }) => name);
    if (!names.some((name) => targets.has(name))) continue;
    const after = editPlaces(text, targets);
    for (const { name, line, why } of after.refused)
      tellRefused(pass, name, `${displayPath(path)}:${line} ${why}`);
    if (after.edited.length === 0) continue;
    edits.push({ path, content: Buffer.from(after.text) });
    for (const place of after.edited) note(edited, place, `${displayPath(path)}:${place.line}`);
  }
  if (edits.length > 0) pass.draft = { edits, ...changesOf(pass, edited) };
  return OK;
}

function note(edited: Map<string, Edited>, { name, from }: EditedPlace, place: string): void {
  const known = edited.get(name) ?? { from: [], places: [] };
  known.from.push(from);
  known.places.push(place);
  edited.set(name, known);
}

function changesOf(
  { targets }: Pass,
  edited: ReadonlyMap<string, Edited>,
): { changes: readonly ImageChange[]; marks: Record<string, Mark> } {
  const changes: ImageChange[] = [];
  const marks: Record<string, Mark> = {};
  for (const [name, { from, places }] of [...edited].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { policy, version, mark, announced } = filled(filled(targets).get(name));
    changes.push({ image: policy.name, from, to: version, places, announced });
    if (mark) marks[name] = mark;
  }
  return { changes, marks };
}

function tellRefused({ targets, telling, settings }: Pass, name: string, why: string): void {
  const image = filled(targets).get(name)?.policy.name ?? name;
  telling.set(`${image} ${why}`, () => settings.emit({ type: "image.refused", image, why }));
}
