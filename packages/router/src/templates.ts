import { readFileSync } from "node:fs";

/** The text of a template that comes with the router. */
export function builtInTemplate(name: "haproxy" | "nginx"): string {
  const file = { haproxy: "haproxy.cfg.liquid", nginx: "nginx.conf.liquid" }[name];
  return readFileSync(new URL(`../templates/${file}`, import.meta.url), "utf8");
}
