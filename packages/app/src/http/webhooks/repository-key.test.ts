import { describe, expect, it } from "vitest";
import { repositoryKey } from "./repository-key.ts";

describe("addresses of one repository", () => {
  it.each([
    "https://git.example.test/acme/deploy",
    "https://git.example.test/acme/deploy.git",
    "https://git.example.test/acme/deploy.git/",
    "http://git.example.test:3000/acme/deploy.git",
    "https://user:password@GIT.Example.Test/Acme/Deploy.git",
    "https://token@git.example.test//acme/deploy?a=b#c",
    "ssh://git@git.example.test:2222/acme/deploy.git",
    "ssh://git@git.example.test:/acme/deploy.git",
    "git://git.example.test/acme/deploy.git",
    "git@git.example.test:acme/deploy.git",
    "git@git.example.test:/acme/deploy",
    "git.example.test:acme/deploy",
    " https://git.example.test/acme/deploy\n",
  ])("%j has the same key as the others", (address) => {
    expect(repositoryKey(address)).toBe("git.example.test/acme/deploy");
  });

  it.each([
    ["https://git.example.test/acme/deploy-2", "git.example.test/acme/deploy-2"],
    ["https://git.example.test/acme/deploy.github", "git.example.test/acme/deploy.github"],
    ["https://git.example.test/a/b/c/deploy", "git.example.test/a/b/c/deploy"],
    ["https://bitbucket.example.test/scm/%7Eada/deploy.git", "bitbucket.example.test/scm/~ada/deploy"],
    ["https://git.example.test/100%/deploy", "git.example.test/100%/deploy"],
    ["https://[::1]:3000/acme/deploy", "[::1]/acme/deploy"],
    ["ssh://git@ssh.github.com:443/acme/deploy.git", "github.com/acme/deploy"],
    ["ssh://git@altssh.bitbucket.org:443/acme/deploy.git", "bitbucket.org/acme/deploy"],
  ])("%s is %s", (address, key) => {
    expect(repositoryKey(address)).toBe(key);
  });

  it.each([
    "/srv/git/deploy.git",
    "deploy.git",
    "./deploy",
    "file:///srv/git/deploy.git",
    "",
    "https://host/",
    "https://host",
  ])("%j is none that others know", (address) => {
    expect(repositoryKey(address)).toBeUndefined();
  });
});
