import type { Source } from "@sluice/core";
import type { GitSource } from "@sluice/git";
import type { LfsMemory, MirrorOptions } from "@sluice/mirror";
import type { LayoutConfig } from "../config/layout.ts";
import type { EnvironmentConfig } from "../config/schema.ts";

/**
 * How this environment wants to see its repository's branch: without its pointers of Git LFS, the files its globs select, as
 * the keys its layout makes of them where it has one. What is found out of contents serves all sources presented so.
 * @param prefix of Sluice's own keys, which no file may take.
 */
export function sourcePresenter(
  { source: { include, exclude }, layout }: EnvironmentConfig,
  prefix: string,
): (source: GitSource) => Promise<Source> {
  let memory: LfsMemory | undefined;
  return async (source) => {
    const { expandedSource, lfsMemory, selectedSource, withoutLfs } = await import("@sluice/mirror");
    memory ??= lfsMemory();
    // Before the globs: they may leave `.gitattributes` out.
    const plain = withoutLfs(source, { memory, above: source.attributesAbove });
    const selected = selectedSource(plain, { include, exclude });
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
  };
}

function takenBy(key: string, { ref }: LayoutConfig, prefix: string): string | undefined {
  if (key === prefix || key.startsWith(`${prefix}/`)) return "Sluice keeps its own records there";
  return key === ref ? "it is the key of `layout.ref`" : undefined;
}

/** What the mirror must know of a layout: that its keys stand among keys of others. */
export function sharedKeys({ layout }: EnvironmentConfig): Pick<MirrorOptions, "sharedKeys"> {
  return layout ? { sharedKeys: { ref: layout.ref, writeRef: layout.writeRef } } : {};
}
