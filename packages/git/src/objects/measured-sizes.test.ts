import type { ObjectId } from "@sluice/core";
import { expect, it } from "vitest";
import { measuredSizes } from "./measured-sizes.ts";

const id = (number: number) => String(number).padStart(40, "0") as ObjectId;
const blob = (size: number) => ({ type: "blob", size }) as const;

it("remembers a size until its object is asked for", () => {
  const sizes = measuredSizes(2);
  sizes.add(id(1), blob(10));
  expect(sizes.get(id(1))).toEqual(blob(10));
  expect([sizes.forget(id(1)), sizes.forget(id(1))]).toEqual([true, false]);
  expect(sizes.get(id(1))).toBeUndefined();
});

it("remembers the newest so many for certain, and never more than twice as many", () => {
  const sizes = measuredSizes(3);
  for (let number = 0; number < 10; number++) sizes.add(id(number), blob(number));
  const known = Array.from({ length: 10 }, (_, number) => number).filter((number) => sizes.get(id(number)));
  expect(known).toEqual([6, 7, 8, 9]);
});

it("forgets what was measured twice in one go", () => {
  const sizes = measuredSizes(1);
  sizes.add(id(1), blob(1));
  sizes.add(id(2), blob(2));
  sizes.add(id(1), blob(1));
  expect(sizes.forget(id(1))).toBe(true);
  expect(sizes.get(id(1))).toBeUndefined();
});
