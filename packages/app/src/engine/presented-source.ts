import type { Source } from "@sluice/core";
import { selectedSource } from "@sluice/mirror";
import type { EnvironmentConfig } from "../config/schema.ts";

/** The repository's branch as this environment wants to see it: the files its globs select. */
export function presentedSource(source: Source, { source: { include, exclude } }: EnvironmentConfig): Source {
  return selectedSource(source, { include, exclude });
}
