import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ProviderName } from "./provider.ts";
import { DELIVERY, fixture, hmacHex, pushOf, type WebhookBench, webhookBench } from "./webhook-bench.ts";

/** The repository of each provider's fixtures, as somebody might configure it: another scheme, user, port and case. */
const REPOSITORY: Readonly<Record<ProviderName, string>> = {
  github: "git@github.com:acme/deploy",
  gitlab: "https://token@GitLab.example.test:8443/acme/platform/deploy.git/",
  gitea: "http://git.example.test:3000/acme/deploy.git",
  bitbucket: "ssh://git@bitbucket.org/acme/deploy.git",
  "bitbucket-server": "https://bitbucket.example.test/scm/acme/deploy.git",
};
const NAMES = Object.keys(REPOSITORY) as ProviderName[];
const AT = "2026-01-01T00:00:00.000Z";

describe.each(NAMES)("a webhook of %s", (provider) => {
  let bench: WebhookBench;
  beforeEach(async () => {
    const repository = REPOSITORY[provider];
    const elsewhere = "https://elsewhere.example.test/other/deploy-2.git";
    bench = await webhookBench({
      environments: { production: repository, staging: `${repository}#next`, other: elsewhere },
    });
  });
  afterEach(() => bench.stop());

  it("asks the mirrors of the branch's environments, and no others, to look", async () => {
    const answer = await bench.deliver(provider, fixture(`${provider}-push`), {
      [DELIVERY[provider]]: "d-1",
    });
    expect(answer).toEqual({
      status: 202,
      body: {
        outcome: "accepted",
        message: "production: the branch is looked at now",
        environments: ["production"],
      },
    });
    expect(bench.fetches()).toEqual({ production: { at: AT, by: provider, delivery: "d-1" } });
    expect(await bench.counted()).toEqual({ [`${provider} accepted`]: 1 });
  });

  it("takes a delivery once", async () => {
    const headers = { [DELIVERY[provider]]: "d-1" };
    await bench.deliver(provider, fixture(`${provider}-push`), headers);
    const commits = bench.kv.commits.length;
    expect(await bench.deliver(provider, fixture(`${provider}-push`), headers)).toMatchObject({
      status: 200,
      body: { outcome: "seen", environments: [] },
    });
    const other = await bench.deliver(provider, fixture(`${provider}-push`), { [DELIVERY[provider]]: "d-2" });
    expect(other.body.outcome).toBe("accepted");
    expect(commits).toBe(1);
    expect(await bench.counted()).toEqual({ [`${provider} accepted`]: 2, [`${provider} seen`]: 1 });
  });

  it.each([
    ["a tag", "refs/tags/main", false, "unmatched", "only branches are deployed, and none moved", []],
    [
      "another branch",
      "refs/heads/main-2",
      false,
      "unmatched",
      "no environment here deploys this branch",
      [],
    ],
    [
      "the other environment's branch",
      "refs/heads/next",
      false,
      "accepted",
      "staging: the branch is looked at now",
      ["staging"],
    ],
    [
      "a deletion",
      "refs/heads/main",
      true,
      "accepted",
      "production: the branch was deleted; what is deployed stays",
      ["production"],
    ],
  ])("of %s is answered with what was done", async (_, ref, deleted, outcome, message, environments) => {
    expect(await bench.deliver(provider, pushOf(provider, ref, deleted))).toEqual({
      status: 202,
      body: { outcome, message, environments },
    });
    expect(Object.keys(bench.fetches())).toEqual(environments);
  });

  it("from a repository that nobody deploys is answered and not acted on", async () => {
    const name = /deploy(?=[".])/g;
    expect(await bench.deliver(provider, fixture(`${provider}-push`).replace(name, "unknown"))).toEqual({
      status: 202,
      body: {
        outcome: "unmatched",
        message: "no environment here deploys from this repository",
        environments: [],
      },
    });
    expect(bench.fetches()).toEqual({});
  });

  it("that is not as its provider words it is answered with 400 and none of its content", async () => {
    const said = {
      code: "USAGE",
      message: `the body is not what ${provider} sends for this event`,
      hint: expect.any(String),
    };
    // GitLab names the event in the body, the others in a header.
    const incomplete = provider === "gitlab" ? '{"object_kind":"push","ref":7}' : '{"ref":7}';
    for (const body of [
      "",
      "{",
      "null",
      "[]",
      '"x"',
      incomplete,
      Buffer.from([0x22, 0xff, 0x22]),
      `${"[".repeat(200_000)}${"]".repeat(200_000)}`,
    ])
      expect(await bench.deliver(provider, body)).toEqual({ status: 400, body: said });
    expect(bench.fetches()).toEqual({});
    expect(await bench.counted()).toEqual({ [`${provider} malformed`]: 8 });
  });
});

describe("a repository", () => {
  const matched = async (
    repository: string,
    provider: ProviderName,
    name: string,
    aliases: string[] = [],
  ) => {
    const bench = await webhookBench({ environments: { production: repository }, aliases });
    const { body } = await bench.deliver(provider, fixture(name));
    await bench.stop();
    return body.environments;
  };

  it("is also known by its aliases", async () => {
    const inside = "http://gitea.inside:3000/mirror/deploy.git";
    expect(await matched(inside, "gitea", "gitea-push")).toEqual([]);
    const alias = "https://git.example.test/acme/deploy";
    expect(await matched(inside, "gitea", "gitea-push", [alias])).toEqual(["production"]);
  });

  it.each([
    ["https://bitbucket.example.test/scm/ACME/deploy.git", "bitbucket-server-push"],
    ["ssh://git@another-name.example.test:7999/acme/deploy.git", "bitbucket-server-push"],
    ["https://bitbucket.example.test/context/scm/acme/deploy.git", "bitbucket-server-push"],
    ["ssh://git@bitbucket.example.test:7999/acme/deploy.git", "bitbucket-server-push-with-links"],
  ])("of Bitbucket Data Center is known by project and slug: %s", async (repository, name) => {
    expect(await matched(repository, "bitbucket-server", name)).toEqual(["production"]);
  });

  it.each(["https://bitbucket.example.test/scm/bigacme/deploy.git", "/srv/git/acme/deploy.git"])(
    "of Bitbucket Data Center is not %s",
    async (repository) => {
      expect(await matched(repository, "bitbucket-server", "bitbucket-server-push")).toEqual([]);
    },
  );

  it("of Forgejo is known like one of Gitea", async () => {
    const bench = await webhookBench({ environments: { production: REPOSITORY.gitea } });
    const body = fixture("gitea-push");
    const hex = hmacHex(body);
    const forgejo = { "x-forgejo-event": "push", "x-forgejo-signature": hex, "x-forgejo-delivery": "f-1" };
    const copies = { "x-gitea-event": "push", "x-gitea-signature": hex, "x-gitea-delivery": "f-1" };
    const answer = await bench.post("/hooks/gitea", body, { ...copies, ...forgejo });
    expect(answer.body.environments).toEqual(["production"]);
    expect(bench.fetches()).toEqual({ production: { at: AT, by: "gitea", delivery: "f-1" } });
    await bench.stop();
  });
});

describe("events that are no pushes", () => {
  let bench: WebhookBench;
  beforeEach(async () => {
    bench = await webhookBench({ environments: { production: REPOSITORY.github } });
  });
  afterEach(() => bench.stop());

  it.each<[ProviderName, string, Record<string, string>]>([
    ["github", "github-ping", { "x-github-event": "ping" }],
    ["bitbucket-server", "bitbucket-server-ping", { "x-event-key": "diagnostics:ping" }],
  ])("a ping of %s is answered", async (provider, name, headers) => {
    expect(await bench.deliver(provider, fixture(name), headers)).toEqual({
      status: 200,
      body: { outcome: "ping", message: "the engine hears this webhook", environments: [] },
    });
  });

  it("Bitbucket's test of the connection bears no signature and is answered all the same", async () => {
    const ping = { "x-event-key": "diagnostics:ping" };
    const { status, body } = await bench.post("/hooks/bitbucket-server", '{"test":true}', ping);
    expect([status, body.outcome]).toEqual([200, "ping"]);
  });

  it.each<[ProviderName, Record<string, string>, string]>([
    ["github", { "x-github-event": "pull_request" }, "pull_request"],
    ["gitea", { "x-gitea-event": "delete" }, "delete"],
    ["gitea", { "x-forgejo-event": "create" }, "create"],
    ["bitbucket", { "x-event-key": "repo:fork" }, "repo:fork"],
    ["bitbucket-server", { "x-event-key": "pr:opened" }, "pr:opened"],
  ])("%s %j is left alone", async (provider, headers, event) => {
    expect(await bench.deliver(provider, fixture(`${provider}-push`), headers)).toEqual({
      status: 202,
      body: {
        outcome: "ignored",
        message: `the event "${event}" is none that is acted on; only pushes are`,
        environments: [],
      },
    });
    expect(bench.fetches()).toEqual({});
  });

  it("GitLab's merge requests are left alone, and its tags move no branch", async () => {
    const merge = await bench.deliver("gitlab", '{"object_kind":"merge_request"}');
    expect([merge.status, merge.body.outcome]).toEqual([202, "ignored"]);
    const tag = await bench.deliver("gitlab", fixture("gitlab-tag-push"));
    expect([tag.status, tag.body.outcome]).toEqual([202, "unmatched"]);
  });
});
