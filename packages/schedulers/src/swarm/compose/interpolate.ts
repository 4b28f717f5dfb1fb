import { isJsonObject, type Json } from "@sluice/core";
import type { Complaint } from "../../format/complaint.ts";

/**
 * A Compose document with its variables replaced: `$$` by a dollar sign and `${NAME:-default}` by its default, since there is no
 * environment that belongs to a commit. Any other variable is a complaint.
 */
export function interpolated(value: Json): {
  readonly value: Json;
  readonly complaints: readonly Complaint[];
} {
  const complaints: Complaint[] = [];
  return { value: within(value, [], complaints), complaints };
}

function within(value: Json, path: readonly (string | number)[], complaints: Complaint[]): Json {
  if (Array.isArray(value)) return value.map((one, at) => within(one, [...path, at], complaints));
  if (isJsonObject(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [key, within(one, [...path, key], complaints)]),
    );
  return typeof value === "string" && value.includes("$") ? replaced(value, path, complaints) : value;
}

const VARIABLE = /\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?-)([^{}]*)|[^{}]*)\})/g;

function replaced(text: string, path: readonly (string | number)[], complaints: Complaint[]): string {
  return text.replace(
    VARIABLE,
    (whole, dollar?: string, bare?: string, name?: string, dash?: string, standard?: string) => {
      if (dollar) return "$";
      if (dash) return standard ?? "";
      complaints.push({
        path,
        message: `names the variable ${bare ?? name}, which nothing sets`,
        hint: "write the value itself, a default after the name and `:-`, or $$ for a dollar sign",
      });
      return whole;
    },
  );
}
