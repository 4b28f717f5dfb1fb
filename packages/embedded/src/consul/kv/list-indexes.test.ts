import { describe, expect, it } from "vitest";
import { watchers } from "../watch/watchers.ts";
import { listIndexes } from "./list-indexes.ts";

describe("remembered indexes of lists", () => {
  it("are known until a key under the prefix changes, and only then forgotten", () => {
    const all = watchers();
    const lists = listIndexes(all);
    lists.remember("app/", 5);
    lists.remember("app/", 6);
    lists.remember("b/", 7);
    all.keyChanged("apple");
    expect([lists.known("app/"), lists.known("b/"), lists.known("c/")]).toEqual([6, 7, undefined]);
    all.keyChanged("app/x");
    expect([lists.known("app/"), lists.known("b/")]).toEqual([undefined, 7]);
  });

  it("are at most 256, the oldest going first", () => {
    const lists = listIndexes(watchers());
    for (let n = 0; n < 257; n++) lists.remember(`p${n}/`, n);
    expect([lists.known("p0/"), lists.known("p1/"), lists.known("p256/")]).toEqual([undefined, 1, 256]);
  });
});
