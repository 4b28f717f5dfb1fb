import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DOCS_FOLDER, generatedDocs } from "./generate.ts";

describe("the generated pages", () => {
  it.each(Object.entries(generatedDocs()))(
    "docs/%s is what the code says (else: npm run generate)",
    (name, text) => {
      expect(readFileSync(join(DOCS_FOLDER, name), "utf8")).toBe(text);
    },
  );

  it("describe every setting that is a leaf", () => {
    const page = generatedDocs()["config.md"] ?? "";
    for (const setting of [
      "dataDir",
      "http.port",
      "consul.address",
      "environments.<name>.targets.<name>.type",
      "lock.ttl",
    ])
      expect(page).toContain(`| \`${setting}\` |`);
  });
});
