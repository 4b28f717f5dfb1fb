import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BatchAnswer, batchOutput } from "./batch-output.ts";
import type { GitObject } from "./object-reader.ts";

const LARGEST = 200;

/** What git writes for one object, and what is to be made of it. */
interface Written {
  readonly bytes: Buffer;
  readonly headerOnly: boolean;
  readonly answer: BatchAnswer;
}

const type = fc.constantFrom<GitObject["type"]>("blob", "blob", "tree", "commit", "tag");
const info = fc.tuple(type, fc.integer({ min: 0, max: 1e15 - 1 })).map(
  ([type, size]): Written => ({
    bytes: Buffer.from(`${type} ${size}\n`),
    headerOnly: true,
    answer: type === "blob" ? size : { kind: "info", type, size },
  }),
);
/** Bytes that look like headers among others. */
const content = fc
  .oneof(fc.uint8Array({ maxLength: 300 }), fc.constant(Buffer.from("blob 3\nabc\n")), fc.constant("\n\n"))
  .map((bytes) => Buffer.from(bytes));
const object = fc.tuple(type, content).map(
  ([type, bytes]): Written => ({
    bytes: Buffer.concat([Buffer.from(`${type} ${bytes.length}\n`), bytes, Buffer.from("\n")]),
    headerOnly: false,
    answer: bytes.length > LARGEST ? { kind: "too-large", size: bytes.length } : bytes,
  }),
);
/** An id may begin as the name of a type does. */
const missing = fc.tuple(fc.constantFrom("b", "c", "f"), fc.boolean()).map(
  ([digit, headerOnly]): Written => ({
    bytes: Buffer.from(`${digit.repeat(40)} missing\n`),
    headerOnly,
    answer: { kind: "missing" },
  }),
);
const stream = fc.array(fc.oneof(info, object, missing), { maxLength: 30 });

function taken(chunks: readonly Buffer[], headersOnly: readonly boolean[] = []) {
  const answers: BatchAnswer[] = [];
  const broken: string[] = [];
  const take = batchOutput({
    largestBytes: () => LARGEST,
    headerOnly: () => headersOnly[answers.length] ?? false,
    answer: (one) => answers.push(one),
    broken: (line) => broken.push(line),
  });
  for (const chunk of chunks) take(chunk);
  return { answers, broken };
}

function splitAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((at) => at % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end));
}

describe("what git cat-file writes", () => {
  it("gives the same answers wherever the stream is cut", () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 40 }), (written, places) => {
        const bytes = Buffer.concat(written.map((one) => one.bytes));
        const headersOnly = written.map((one) => one.headerOnly);
        expect(taken(splitAt(bytes, places), headersOnly)).toEqual({
          answers: written.map((one) => one.answer),
          broken: [],
        });
      }),
    );
  });

  it("gives the same answers where every byte comes alone", () => {
    fc.assert(
      fc.property(stream, (written) => {
        const bytes = Buffer.concat(written.map((one) => one.bytes));
        const headersOnly = written.map((one) => one.headerOnly);
        const alone = [...bytes].map((byte) => Buffer.of(byte));
        expect(taken(alone, headersOnly).answers).toEqual(written.map((one) => one.answer));
      }),
    );
  });

  it("is not copied where an object lies within one chunk", () => {
    const chunk = Buffer.from("blob 3\nabc\nblob 2\nde\n");
    const { answers } = taken([chunk]);
    expect(answers).toEqual([Buffer.from("abc"), Buffer.from("de")]);
    expect(answers.map((one) => (one as Buffer).buffer === chunk.buffer)).toEqual([true, true]);
  });

  it.each([
    ["blob", "blob"],
    ["blob -1", "blob -1"],
    ["blob 12x", "blob 12x"],
    ["blob 1234567890123456", "blob 1234567890123456"],
    ["blub 3", "blub 3"],
    ["usage: git", "usage: git"],
    ["", ""],
    ["x".repeat(10_000), "x".repeat(4096)],
  ])("is broken where a header is %j", (line, told) => {
    expect(taken([Buffer.from(`${line}\n`)]).broken[0]).toBe(told);
    const halves = [Buffer.from(line.slice(0, 5000)), Buffer.from(`${line.slice(5000)}\n`)];
    expect(taken(halves).broken[0]?.slice(0, 4096)).toBe(told);
  });
});
