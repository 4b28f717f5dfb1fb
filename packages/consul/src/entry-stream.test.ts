import { finished } from "node:stream/promises";
import fc from "fast-check";
import { expect, it } from "vitest";
import { entryStream } from "./entry-stream.ts";
import type { RawEntry } from "./raw-answers.ts";

async function read(text: string, chunkBytes: number) {
  const taken: RawEntry[] = [];
  const { sink, complete } = entryStream((entry) => taken.push(entry));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) sink.write(bytes.subarray(at, at + chunkBytes));
  sink.end();
  await finished(sink);
  return { taken, complete: complete() };
}

const key = fc.oneof(fc.string(), fc.constantFrom("},{", '"},{"', "\\},{", "é},{ü", "a".repeat(300)));
const entries = fc.array(
  fc.record({
    Key: key,
    Value: fc.constantFrom(null, "", "eA==", "e".repeat(400_000)),
    ModifyIndex: fc.nat(),
  }),
  { maxLength: 12 },
);

it("gives exactly the entries of an answer, whatever their keys and however it is cut", async () => {
  await fc.assert(
    fc.asyncProperty(entries, fc.integer({ min: 1_000, max: 700_000 }), async (all, chunkBytes) => {
      expect(await read(JSON.stringify(all), chunkBytes)).toEqual({ taken: all, complete: true });
    }),
    { numRuns: 60 },
  );
});

it.each([
  ["nothing", ""],
  ["a page", "<html>"],
  ["an object", '{"Key":"a"}'],
  ["an array without its end", '[{"Key":"a"},{"Key":"b"}'],
  ["an array and more", '[{"Key":"a"}] []'],
])("does not take %s for a whole answer", async (_, text) => {
  expect((await read(text, 5)).complete).toBe(false);
});
