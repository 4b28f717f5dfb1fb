export { expandedSource } from "./expand/expanded-source.ts";
export { type ExpandRules, LIST_RULES, type ListRule } from "./expand/rules.ts";
export { type Mirror, type MirrorOptions, mirror } from "./mirror.ts";
export { type LfsMemory, lfsMemory } from "./select/lfs-memory.ts";
export { type AttributesAbove, type LfsOptions, withoutLfs } from "./select/lfs-source.ts";
export { type Selection, selectedSource } from "./select/selected-source.ts";
