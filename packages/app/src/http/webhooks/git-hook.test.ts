import { expect, it } from "vitest";
import { webhookBench } from "./webhook-bench.ts";

it("the plain post-receive hook of a repository elsewhere wakes the mirror; one on this machine is watched", async () => {
  const repository = "ssh://git@git.example.test/srv/deploy.git";
  const environments = { production: repository, staging: `${repository}#next`, local: "/srv/deploy.git" };
  const bench = await webhookBench({ environments });
  const to = "b".repeat(40);
  const pushed = (where: string) => {
    const updates = [{ ref: "refs/heads/main", from: null, to }];
    // It follows the deployment, so its answer ends only with the server.
    return bench
      .post("/hooks/git/follow", JSON.stringify({ repository: where, updates }))
      .catch(() => undefined);
  };
  const following = [pushed("/srv/deploy.git"), pushed(repository)];
  const told = { at: "2026-01-01T00:00:00.000Z", by: "git", delivery: to };
  await expect.poll(() => bench.fetches()).toEqual({ production: told });
  await bench.stop();
  await Promise.all(following);
  expect(bench.fetches()).toEqual({ production: told });
});
