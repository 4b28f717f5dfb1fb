import { bitbucket } from "./bitbucket.ts";
import { bitbucketServer } from "./bitbucket-server.ts";
import { gitea } from "./gitea.ts";
import { github } from "./github.ts";
import { gitlab } from "./gitlab.ts";
import type { Provider } from "./provider.ts";

/** Every kind of Git host whose webhooks are understood. */
export const PROVIDERS: readonly Provider[] = [github, gitlab, gitea, bitbucket, bitbucketServer];
