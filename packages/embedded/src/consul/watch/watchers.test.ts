import { describe, expect, it } from "vitest";
import { keyTopic, prefixTopic, watchers } from "./watchers.ts";

describe("watchers", () => {
  function watching(topics: string[]) {
    const all = watchers();
    const woken: string[] = [];
    const ends = topics.map((topic) => all.watch([topic], () => woken.push(topic)));
    return { all, woken, ends };
  }

  it.each([
    ["app/a", ["key:app/a", "prefix:", "prefix:app", "prefix:app/"]],
    ["app/ab", ["prefix:", "prefix:app", "prefix:app/"]],
    ["apple", ["prefix:", "prefix:app"]],
    ["b", ["prefix:"]],
  ])("a change of %s wakes exactly its key and its prefixes", (key, expected) => {
    const topics = [keyTopic("app/a"), ...["", "app", "app/", "app/a/"].map(prefixTopic)];
    const { all, woken } = watching(topics);
    all.keyChanged(key);
    expect(woken.sort()).toEqual(expected);
  });

  it("an ended watch is not woken, while another of the same topic is", () => {
    const { all, woken, ends } = watching([prefixTopic("a"), prefixTopic("a")]);
    ends[0]?.();
    ends[0]?.();
    all.keyChanged("abc");
    expect(woken).toEqual(["prefix:a"]);
    ends[1]?.();
    all.keyChanged("abc");
    expect(woken).toEqual(["prefix:a"]);
  });

  it("a topic wakes only those who watch it", () => {
    const { all, woken } = watching(["nodes", "services"]);
    all.changed("services");
    expect(woken).toEqual(["services"]);
  });
});
