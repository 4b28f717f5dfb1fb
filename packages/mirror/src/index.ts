export { type Mirror, type MirrorOptions, mirror } from "./mirror.ts";
export { type Selection, selectedSource } from "./select/selected-source.ts";
