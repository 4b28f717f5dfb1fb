import { manualClock } from "@sluice/core/testing";
import { expect, it } from "vitest";
import { seen } from "./seen.ts";

it("ids are known until their time is over or too many newer ones came", async () => {
  const clock = manualClock();
  const ids = seen({ most: 2, forMs: 1_000, clock });
  const known = () => ["a", "b", "c"].filter((id) => ids.has(id));
  ids.add("a");
  await clock.advance(999);
  ids.add("b");
  expect(known()).toEqual(["a", "b"]);
  await clock.advance(1);
  expect(known()).toEqual(["b"]);
  ids.add("a");
  ids.add("c");
  expect(known()).toEqual(["a", "c"]);
});
