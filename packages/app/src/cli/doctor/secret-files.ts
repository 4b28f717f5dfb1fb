import { readFile } from "node:fs/promises";
import type { Config } from "../../config/schema.ts";
import type { Check, Finding } from "./finding.ts";

/** Settings that name a file with a secret or a certificate, wherever they stand. */
const SETTING = /^(ca|cert|key|(secret|token|password|registryAuth|signingKey|url|key|known[A-Za-z]*)File)$/;

/** A check for each file that the configuration names: whether it can be read, and says something. What it says is not looked at. */
export function secretFileChecks(config: Config): readonly Check[] {
  return filesIn(config, []).map(
    ([setting, file]) =>
      () =>
        readable(setting, file),
  );
}

function filesIn(value: unknown, path: readonly string[]): readonly (readonly [string, string])[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) =>
    typeof one === "string" && SETTING.test(name)
      ? [[[...path, name].join("."), one] as const]
      : filesIn(one, [...path, name]),
  );
}

async function readable(setting: string, file: string): Promise<Finding> {
  const hint = `Write it to ${file}, readable by the engine's user alone.`;
  try {
    const found = (await readFile(file, "utf8")).trim();
    if (found === "") return { good: false, text: `${setting}: ${file} is empty`, hint };
    return { good: true, text: `${setting}: ${file} can be read` };
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? "it cannot be read";
    return { good: false, text: `${setting}: ${file}: ${why}`, hint };
  }
}
