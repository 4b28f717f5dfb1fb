import { describe, expect, it } from "vitest";
import { type GuardState, guardServers } from "./guard.ts";

const server = (id: string) => ({ id, address: "10.0.0.1", port: 80, weight: 1 });
const OPTIONS = { mostRemoved: 0.5, holdMs: 30_000, holdEmptyMs: 300_000 };

/** Looks one after another: at a time there are these servers; and what traffic goes to. */
function looks(...seen: (readonly [at: number, present: string, released?: string])[]) {
  let state: GuardState | undefined;
  const ids = (text: string) => text.split("").filter(Boolean);
  return seen.map(([now, present, released = ""]) => {
    const next = guardServers(state, ids(present).map(server), new Set(ids(released)), { ...OPTIONS, now });
    state = next;
    return next.servers.map(({ id }) => id).join("");
  });
}

describe("servers that vanish", () => {
  it.each([
    [
      "half of them are believed",
      [
        [0, "abcd"],
        [1, "ab"],
      ],
      ["abcd", "ab"],
    ],
    [
      "most of them are kept until the hold is over",
      [
        [0, "abcd"],
        [1, "a"],
        [30_000, "a"],
        [30_001, "a"],
      ],
      ["abcd", "abcd", "abcd", "a"],
    ],
    [
      "all of them are kept longer",
      [
        [0, "ab"],
        [1, ""],
        [30_001, ""],
        [300_000, ""],
        [300_001, ""],
      ],
      ["ab", "ab", "ab", "ab", ""],
    ],
    [
      "one by one within the hold count together",
      [
        [0, "abcdef"],
        [1, "abcd"],
        [2, "ab"],
        [30_001, "ab"],
        [30_002, "ab"],
      ],
      ["abcdef", "abcd", "abcd", "abcd", "ab"],
    ],
    [
      "one after another each have their own time",
      [
        [0, "abcd"],
        [1, "a"],
        [20_000, ""],
        [30_001, "b"],
        [60_000, "b"],
      ],
      ["abcd", "abcd", "abcd", "ba", "b"],
    ],
    [
      "and come back are as before",
      [
        [0, "abcd"],
        [1, ""],
        [2, "abcd"],
        [3, "abc"],
      ],
      ["abcd", "abcd", "abcd", "abc"],
    ],
    [
      "are not kept where as many others came",
      [
        [0, "abc"],
        [1, "xyz"],
      ],
      ["abc", "xyz"],
    ],
    [
      "are not kept where a person took them out",
      [
        [0, "abcd"],
        [1, "a", "bcd"],
      ],
      ["abcd", "a"],
    ],
    [
      "long after there were more are the truth",
      [
        [0, "abcd"],
        [1, "ab"],
        [30_001, "a"],
      ],
      ["abcd", "ab", "a"],
    ],
  ] as const)("%s", (_, seen, wanted) => {
    expect(looks(...seen)).toEqual(wanted);
  });
});
