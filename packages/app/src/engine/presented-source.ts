import type { Source } from "@sluice/core";
import type { MirrorOptions } from "@sluice/mirror";
import type { LayoutConfig } from "../config/layout.ts";
import type { EnvironmentConfig } from "../config/schema.ts";

/**
 * The repository's branch as this environment wants to see it: the files its globs select, as the keys its layout makes of
 * them where it has one.
 * @param prefix of Sluice's own keys, which no file may take.
 */
export async function presentedSource(
  source: Source,
  { source: { include, exclude }, layout }: EnvironmentConfig,
  prefix: string,
): Promise<Source> {
  if (!layout && !include && !exclude) return source;
  const { expandedSource, selectedSource } = await import("@sluice/mirror");
  const selected = selectedSource(source, { include, exclude });
  if (!layout) return selected;
  return expandedSource(selected, {
    prefix: layout.prefix ?? "",
    sourceRoot: layout.sourceRoot ?? "",
    expand: layout.expand,
    dropExtensions: layout.dropExtensions,
    lists: layout.arrays,
    invalid: layout.invalid,
    trim: layout.trim,
    commonProperties: layout.commonProperties,
    forbids: (key) => takenBy(key, layout, prefix),
  });
}

function takenBy(key: string, { ref }: LayoutConfig, prefix: string): string | undefined {
  if (key === prefix || key.startsWith(`${prefix}/`)) return "Sluice keeps its own records there";
  return key === ref ? "it is the key of `layout.ref`" : undefined;
}

/** What the mirror must know of a layout: that its keys stand among keys of others. */
export function sharedKeys({ layout }: EnvironmentConfig): Pick<MirrorOptions, "sharedKeys"> {
  return layout ? { sharedKeys: { ref: layout.ref, writeRef: layout.writeRef } } : {};
}
