import { isJsonObject, type Json, type JsonObject } from "@sluice/core";
import { objectIn, textIn } from "../format/reading.ts";

const DOCKER_HUB = ["https://index.docker.io/v1/", "index.docker.io", "docker.io"];

/**
 * The credentials for an image's registry, as the header `X-Registry-Auth` has them; undefined: there are none.
 * @param config the text of a Docker `config.json`; only `auths` is read, since helpers are programs of somebody's desktop.
 */
export function registryAuthOf(image: string, config: string): JsonObject | undefined {
  const auths = objectIn(objectIn(parsed(config))?.auths) ?? {};
  const host = registryOf(image);
  const names =
    host === undefined ? DOCKER_HUB : [host, `https://${host}`, `http://${host}`, `https://${host}/v2/`];
  for (const serveraddress of names) {
    const found = objectIn(auths[serveraddress]);
    if (found) return { ...loginOf(found), serveraddress };
  }
  return undefined;
}

/** `registry.example:5000` of `registry.example:5000/shop/web:1`; undefined: Docker's own. */
function registryOf(image: string): string | undefined {
  const [first = "", ...rest] = image.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return isHost && first !== "docker.io" ? first : undefined;
}

function loginOf(entry: JsonObject): JsonObject {
  const token = textIn(entry.identitytoken);
  if (token) return { identitytoken: token };
  const [username = "", password = ""] = Buffer.from(textIn(entry.auth) ?? "", "base64")
    .toString()
    .split(/:(.*)/s);
  return { username: textIn(entry.username) ?? username, password: textIn(entry.password) ?? password };
}

function parsed(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
