import { readDocuments, SluiceError } from "@sluice/core";
import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from "yaml";
import { canonicalName } from "../reference.ts";

/**
 * `deploy.yaml` with an image pinned to a tag; what else it says stays as it is, to the character.
 * @param text undefined: there is no such file yet.
 * @throws USAGE where the file cannot be read, or is written in a way that only a person should change.
 */
export function withPin(text: string | undefined, name: string, tag: string): string {
  const pin = JSON.stringify(tag);
  if (text === undefined) return `images:\n  ${JSON.stringify(name)}:\n    pin: ${pin}\n`;
  const { top, images, image } = read(text, name);
  const known = image && pairOf(image.value, "pin");
  if (known) {
    if (!isScalar(known.value) || !known.value.range)
      throw unwritable("the pin that is there is no plain value");
    const [start, end] = known.value.range;
    return text.slice(0, start) + pin + text.slice(end);
  }
  if (image && isMap(image.value) && image.value.items.length > 0)
    return inserted(text, image.value, `pin: ${pin}`);
  if (image) throw unwritable(`"${name}" has no settings to put the pin beside`);
  if (images && isMap(images.value) && images.value.items.length > 0)
    return inserted(text, images.value, `${JSON.stringify(name)}: { pin: ${pin} }`);
  if (images) throw unwritable("`images` is there and empty; take it out or name an image");
  if (top && (top as { flow?: boolean }).flow)
    return inserted(text, top, `images: { ${JSON.stringify(name)}: { pin: ${pin} } }`);
  const gap = text === "" || text.endsWith("\n") ? "" : "\n";
  return `${text}${gap}images:\n  ${JSON.stringify(name)}:\n    pin: ${pin}\n`;
}

/** `deploy.yaml` without the image's pin; undefined: there is none. @throws USAGE, as `withPin`. */
export function withoutPin(text: string, name: string): string | undefined {
  const { images, image } = read(text, name);
  const pin = image && pairOf(image.value, "pin");
  if (!image || !pin) return undefined;
  // An image that has nothing but its pin is left out with it: it would have no policy.
  const alone = isMap(image.value) && image.value.items.length === 1;
  const from = alone && isMap(images?.value) ? images.value : (image.value as YAMLMap);
  if (alone && from.items.length === 1 && images)
    return cut(text, parseDocument(text).contents as YAMLMap, images);
  return cut(text, from, alone ? image : pin);
}

interface ReadFile {
  readonly top: YAMLMap | undefined;
  readonly images: Pair | undefined;
  readonly image: Pair | undefined;
}

function read(text: string, name: string): ReadFile {
  const [problem] = readDocuments(Buffer.from(text)).problems;
  if (problem) throw unwritable(`line ${problem.line}: ${problem.message}`);
  const { contents } = parseDocument(text);
  if (contents !== null && !isMap(contents)) throw unwritable("it is no mapping");
  const images = contents ? pairOf(contents, "images") : undefined;
  const items = isMap(images?.value) ? images.value.items : [];
  const image = items.find((pair) => canonicalName(keyOf(pair)) === canonicalName(name));
  return { top: contents ?? undefined, images, image };
}

function pairOf(map: unknown, key: string): Pair | undefined {
  return isMap(map) ? map.items.find((pair) => keyOf(pair) === key) : undefined;
}

function keyOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : "";
}

/** Puts a pair before the first of a mapping, indented and parted from it as that one's kind of mapping wants. */
function inserted(text: string, map: YAMLMap, pair: string): string {
  const start = startOf(map.items[0]);
  if (start === undefined) throw unwritable("its first setting has no place");
  if (map.flow) return `${text.slice(0, start)}${pair}, ${text.slice(start)}`;
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const indent = text.slice(lineStart, start);
  if (!/^ *$/.test(indent)) throw unwritable("its settings stand beside something else in one line");
  const end = text.includes("\r\n") ? "\r\n" : "\n";
  return `${text.slice(0, start)}${pair}${end}${indent}${text.slice(start)}`;
}

/** Takes a pair out of a mapping, with its line or its comma. */
function cut(text: string, map: YAMLMap, pair: Pair): string {
  const at = map.items.indexOf(map.items.find((one) => keyOf(one) === keyOf(pair)) as Pair);
  const [start, next, previous] = [startOf(map.items[at]), startOf(map.items[at + 1]), map.items[at - 1]];
  const end = endOf(map.items[at]);
  if (start === undefined || end === undefined) throw unwritable("the pin has no place");
  if (map.flow) {
    if (next !== undefined) return text.slice(0, start) + text.slice(next);
    return text.slice(0, endOf(previous) ?? start) + text.slice(end);
  }
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const lineEnd = text.indexOf("\n", end - 1);
  return text.slice(0, lineStart) + (lineEnd < 0 ? "" : text.slice(lineEnd + 1));
}

function startOf(pair: Pair | undefined): number | undefined {
  return (pair?.key as { range?: readonly number[] } | null | undefined)?.range?.[0];
}

function endOf(pair: Pair | undefined): number | undefined {
  return (pair?.value as { range?: readonly number[] } | null | undefined)?.range?.[1];
}

function unwritable(why: string): SluiceError {
  return new SluiceError("USAGE", `deploy.yaml cannot be changed by a program: ${why}`, {
    hint: "Write the pin by hand, as `images.<name>.pin`, and commit it.",
  });
}
