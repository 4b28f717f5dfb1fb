import { expect, it } from "vitest";
import { registryAuthOf } from "./registry-auth.ts";

const auth = Buffer.from("bot:pass:word").toString("base64");
const CONFIG = JSON.stringify({
  auths: {
    "registry.example:5000": { auth },
    "https://ghcr.example": { username: "me", password: "mine" },
    "https://index.docker.io/v1/": { identitytoken: "token" },
  },
});
const bot = { username: "bot", password: "pass:word", serveraddress: "registry.example:5000" };

it.each([
  ["registry.example:5000/shop/web:1", bot],
  ["ghcr.example/web", { username: "me", password: "mine", serveraddress: "https://ghcr.example" }],
  ["nginx:1", { identitytoken: "token", serveraddress: "https://index.docker.io/v1/" }],
  ["docker.io/library/nginx", { identitytoken: "token", serveraddress: "https://index.docker.io/v1/" }],
  ["other.example/web:1", undefined],
])("finds the credentials for %s", (image, expected) => {
  expect(registryAuthOf(image, CONFIG)).toEqual(expected);
});

it.each(["", "{", "[]", '{"auths": 1}'])("finds none in %j", (config) => {
  expect(registryAuthOf("nginx", config)).toBeUndefined();
});
