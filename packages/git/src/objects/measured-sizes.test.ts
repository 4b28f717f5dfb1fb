import type { ObjectId } from "@sluice/core";
import { expect, it } from "vitest";
import { measuredSizes } from "./measured-sizes.ts";

const id = (number: number) => String(number).padStart(40, "0") as ObjectId;

it("remembers a size, also of nothing, until its object is asked for", () => {
  const sizes = measuredSizes(2);
  sizes.add(id(1), 10);
  sizes.add(id(2), 0);
  expect([sizes.get(id(1)), sizes.get(id(2))]).toEqual([10, 0]);
  sizes.forget(id(1));
  expect([sizes.get(id(1)), sizes.get(id(2))]).toEqual([undefined, 0]);
});

it("remembers the newest so many for certain, and never more than twice as many", () => {
  const sizes = measuredSizes(3);
  for (let number = 0; number < 10; number++) sizes.add(id(number), number);
  const known = Array.from({ length: 10 }, (_, number) => number).filter((number) => sizes.get(id(number)));
  expect(known).toEqual([6, 7, 8, 9]);
});

it("forgets what was measured twice in one go", () => {
  const sizes = measuredSizes(1);
  sizes.add(id(1), 1);
  sizes.add(id(2), 2);
  sizes.add(id(1), 1);
  sizes.forget(id(1));
  expect(sizes.get(id(1))).toBeUndefined();
});
