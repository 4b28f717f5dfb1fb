import { describe, expect, it } from "vitest";
import { withoutPin, withPin } from "./pin.ts";

const HEAD = "# Policies.\ntargets: { apps: {} }\n";

describe("a pin", () => {
  it.each([
    ["no file", undefined, 'images:\n  "shop/web":\n    pin: "1.10"\n'],
    ["an empty file", "", 'images:\n  "shop/web":\n    pin: "1.10"\n'],
    ["a file without images", HEAD, `${HEAD}images:\n  "shop/web":\n    pin: "1.10"\n`],
    [
      "a file without a last line end",
      "prune: never",
      'prune: never\nimages:\n  "shop/web":\n    pin: "1.10"\n',
    ],
    [
      "other images",
      "images:\n    # first\n    shop/a: { policy: semver } # a\nprune: never\n",
      'images:\n    # first\n    "shop/web": { pin: "1.10" }\n    shop/a: { policy: semver } # a\nprune: never\n',
    ],
    [
      "the image's policy as a block",
      "images:\n  shop/web:\n     policy: semver # why\n     range: ^1\n",
      'images:\n  shop/web:\n     pin: "1.10"\n     policy: semver # why\n     range: ^1\n',
    ],
    [
      "the image's policy in braces",
      "images: { shop/web: {policy: semver} }\n",
      'images: { shop/web: {pin: "1.10", policy: semver} }\n',
    ],
    [
      "another pin",
      "images:\n  shop/web:\n    policy: semver\n    pin: '1.9' # for now\n",
      'images:\n  shop/web:\n    policy: semver\n    pin: "1.10" # for now\n',
    ],
    [
      "another spelling of the name",
      "images:\n  docker.io/shop/web: { policy: semver }\n",
      'images:\n  docker.io/shop/web: { pin: "1.10", policy: semver }\n',
    ],
    [
      "line ends of another system",
      "images:\r\n  shop/web:\r\n    policy: semver\r\n",
      'images:\r\n  shop/web:\r\n    pin: "1.10"\r\n    policy: semver\r\n',
    ],
  ])("is written into %s, and what else is there stays", (_, before, after) => {
    expect(withPin(before, "shop/web", "1.10")).toBe(after);
  });

  it.each([
    [
      "its line of a block",
      'images:\n  shop/web:\n    pin: "1.10" # x\n    policy: semver\n',
      "images:\n  shop/web:\n    policy: semver\n",
    ],
    [
      "its place in braces",
      'images: { shop/web: { pin: "1", policy: semver } }\n',
      "images: { shop/web: { policy: semver } }\n",
    ],
    [
      "the end of braces",
      'images: { shop/web: { policy: semver, pin: "1" } }\n',
      "images: { shop/web: { policy: semver } }\n",
    ],
    [
      "an image that has nothing else",
      'images:\n  shop/a: { policy: semver }\n  "shop/web":\n    pin: "1"\nprune: never\n',
      "images:\n  shop/a: { policy: semver }\nprune: never\n",
    ],
    [
      "the only image, that has nothing else",
      'prune: never\nimages:\n  "shop/web":\n    pin: "1"\n',
      "prune: never\n",
    ],
  ])("is taken from %s", (_, before, after) => {
    expect(withoutPin(before, "shop/web")).toBe(after);
  });

  it.each([[HEAD], ["images: { shop/web: { policy: semver } }\n"], [""]])(
    "that is not there is not taken off %j",
    (text) => {
      expect(withoutPin(text, "shop/web")).toBeUndefined();
    },
  );

  it.each([
    ["cannot be read", "images: [\n"],
    ["is no mapping", "- a\n"],
    ["has empty images", "images:\n"],
  ])("is not written into a file that %s", (_, text) => {
    expect(() => withPin(text, "shop/web", "1")).toThrow(/cannot be changed by a program/);
  });
});
