import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openApiDocument } from "../http/openapi/document.ts";
import { apiPage } from "./api-page.ts";
import { configJsonSchema, configPage } from "./config-page.ts";
import { errorsPage } from "./errors-page.ts";
import { metricsPage } from "./metrics-page.ts";

/** Every file under docs/ that is made from code, by name. */
export function generatedDocs(): Readonly<Record<string, string>> {
  return {
    "config.md": configPage(),
    "sluice.schema.json": `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`,
    "errors.md": errorsPage(),
    "api.md": apiPage(),
    "metrics.md": metricsPage(),
    "openapi.json": `${JSON.stringify(openApiDocument(), undefined, 2)}\n`,
  };
}

export const DOCS_FOLDER = fileURLToPath(new URL("../../../../docs", import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(DOCS_FOLDER, { recursive: true });
  for (const [name, text] of Object.entries(generatedDocs())) writeFileSync(join(DOCS_FOLDER, name), text);
}
