import { expect, it } from "vitest";
import { bytes, fileMode, nanoseconds, shellWords } from "./units.ts";

it.each([
  ["1m30s", 90e9],
  ["500ms", 5e8],
  ["1.5h", 5400e9],
  ["0", 0],
  ["10", undefined],
  ["ten", undefined],
])("reads the duration %s", (text, expected) => expect(nanoseconds(text)).toBe(expected));

it.each([
  ["512M", 512 * 1024 ** 2],
  ["1gb", 1024 ** 3],
  ["1.5KiB", 1536],
  [1000, 1000],
  ["much", undefined],
])("reads the size %s", (size, expected) => expect(bytes(size)).toBe(expected));

it.each([
  ["sh -c 'echo \"hi\"'", ["sh", "-c", 'echo "hi"']],
  ['a "b \\" c" d\\ e', ["a", 'b " c', "d e"]],
  ["a '' b", ["a", "", "b"]],
  ["a 'b", undefined],
])("takes %s apart as a shell does", (command, expected) => expect(shellWords(command)).toEqual(expected));

it.each([
  ["0440", 0o440],
  ["0o400", 0o400],
  [440, 0o440],
  [644, 0o644],
  [292, undefined],
  [256, undefined],
])("reads the file mode %s", (mode, expected) => expect(fileMode(mode)).toBe(expected));
