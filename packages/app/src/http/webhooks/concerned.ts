import type { Environment } from "../../engine/environment.ts";
import type { Notice, RefUpdate } from "./provider.ts";
import { repositoryKey } from "./repository-key.ts";

/** An environment, or what looks after the branches of one, as far as it is asked to look. */
export type Asked = Pick<Environment, "name" | "layout" | "repository" | "config" | "follows">;

/** Whose branch was moved, made or deleted. */
export interface Concerned {
  readonly environment: Asked;
  readonly update: RefUpdate;
}

const HEADS = "refs/heads/";

/**
 * The environments that a push concerns; none, and why.
 * @param environments those of this configuration, whichever process mirrors them.
 */
export function concernedBy(
  notice: Extract<Notice, { kind: "push" }>,
  environments: readonly Asked[],
): { readonly concerned: readonly Concerned[]; readonly why: string } {
  const own = environments.filter((environment) => isSameRepository(environment, notice));
  if (own.length === 0) return { concerned: [], why: "no environment here deploys from this repository" };
  const concerned = own.flatMap((environment): Concerned[] => {
    const update = notice.updates.find(
      ({ ref }) => ref.startsWith(HEADS) && environment.follows(ref.slice(HEADS.length)),
    );
    return update ? [{ environment, update }] : [];
  });
  const tags = notice.updates.length > 0 && notice.updates.every(({ ref }) => !ref.startsWith(HEADS));
  return {
    concerned,
    why: tags ? "only branches are deployed, and none moved" : "no environment here deploys this branch",
  };
}

function isSameRepository(
  { repository, config }: Asked,
  { repositories, path }: Extract<Notice, { kind: "push" }>,
): boolean {
  const own = [repository, ...config.source.aliases].map(repositoryKey);
  const named = new Set(repositories.map(repositoryKey));
  const end = path && `/${path.toLowerCase()}`;
  return own.some((key) => key !== undefined && (named.has(key) || (end !== undefined && key.endsWith(end))));
}
