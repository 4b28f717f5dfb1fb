import type { Json, JsonObject } from "@sluice/core";
import { objectIn, textIn } from "../../format/reading.ts";
import type { Stack } from "./stack.ts";
import { bytes, fileMode } from "./units.ts";

/** A volume of a Compose service as a mount, or what is wrong with it. */
export function mountOf(volume: Json, stack: Stack): JsonObject | string {
  const long = objectIn(volume);
  return long ? longMount(long, stack) : shortMount(String(volume), stack);
}

/** `/path`, `name:/path`, `/host:/path:ro`. */
function shortMount(text: string, stack: Stack): JsonObject | string {
  const [first = "", second, options = "", ...more] = text.split(":");
  if (second === undefined) return longMount({ type: "volume", target: first }, stack);
  const flags = options === "" ? [] : options.split(",");
  const strange = flags.find((one) => !["ro", "rw", "nocopy", "z", "Z"].includes(one));
  if (more.length > 0 || strange !== undefined || !second.startsWith("/"))
    return 'must be "name:/path", "/host/path:/path" or "/path", with ":ro" at its end for reading only';
  const type = /^[./~]/.test(first) ? "bind" : "volume";
  const nocopy = flags.includes("nocopy") ? { volume: { nocopy: true } } : {};
  return longMount(
    { type, source: first, target: second, read_only: flags.includes("ro"), ...nocopy },
    stack,
  );
}

function longMount(volume: JsonObject, stack: Stack): JsonObject | string {
  const type = textIn(volume.type) ?? "volume";
  const source = textIn(volume.source);
  if (type === "bind" && !source?.startsWith("/"))
    return "a bind mount needs an absolute path of the node; for files of your own use configs";
  const common: JsonObject = {
    Type: type,
    Target: textIn(volume.target) ?? "",
    ...(volume.read_only === true ? { ReadOnly: true } : {}),
    ...(textIn(volume.consistency) ? { Consistency: volume.consistency ?? "" } : {}),
  };
  const propagation = textIn(objectIn(volume.bind)?.propagation);
  if (type === "bind")
    return {
      ...common,
      Source: source ?? "",
      ...(propagation ? { BindOptions: { Propagation: propagation } } : {}),
    };
  if (type === "tmpfs") return { ...common, ...tmpfsOptions(objectIn(volume.tmpfs)) };
  const named = source === undefined ? undefined : stack.volume(source);
  if (source !== undefined && named === undefined)
    return `there is no volume ${source} below the file's volumes`;
  const options = {
    ...named?.options,
    ...(objectIn(volume.volume)?.nocopy === true ? { NoCopy: true } : {}),
  };
  return {
    ...common,
    ...(named ? { Source: named.name } : {}),
    ...(Object.keys(options).length > 0 ? { VolumeOptions: options } : {}),
  };
}

function tmpfsOptions(given: JsonObject | undefined): JsonObject {
  const [size, mode] = [given?.size, given?.mode];
  const options = {
    ...(typeof size === "string" || typeof size === "number" ? { SizeBytes: bytes(size) ?? 0 } : {}),
    ...(typeof mode === "string" || typeof mode === "number" ? { Mode: fileMode(mode) ?? 0 } : {}),
  };
  return Object.keys(options).length > 0 ? { TmpfsOptions: options } : {};
}
