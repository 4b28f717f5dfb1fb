import { z } from "zod";
import type { Notice } from "./provider.ts";

/** The push of GitHub, and of Gitea and Forgejo, which word theirs alike; of it only the fields that are used. */
const gitHubLike = z.object({
  ref: z.string(),
  after: z.string(),
  repository: z.object({
    clone_url: z.string(),
    ssh_url: z.string().optional(),
    html_url: z.string().optional(),
  }),
});

/** @throws ZodError */
export function gitHubLikePush(payload: unknown): Notice {
  const { ref, after, repository } = gitHubLike.parse(payload);
  const { clone_url, ssh_url, html_url } = repository;
  return {
    kind: "push",
    repositories: given(clone_url, ssh_url, html_url),
    updates: [{ ref, deleted: isZero(after) }],
  };
}

/** An event that moves no branch, or that tells a second time what a push tells. */
export function ignoredEvent(event: string | undefined): Notice {
  const named = event === undefined ? "an event without a name" : `the event "${event.slice(0, 64)}"`;
  return { kind: "ignored", why: `${named} is none that is acted on; only pushes are` };
}

/** True for the commit id that stands for "none": zeros, 40 of them or, with SHA-256, 64. */
export function isZero(commit: string): boolean {
  return /^0+$/.test(commit);
}

/** Those of the addresses that are there. */
export function given(...addresses: readonly (string | undefined)[]): string[] {
  return addresses.filter((address): address is string => address !== undefined && address !== "");
}
