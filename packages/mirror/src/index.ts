export { type Mirror, type MirrorOptions, mirror } from "./mirror.ts";
