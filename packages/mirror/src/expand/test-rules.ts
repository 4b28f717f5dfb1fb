import type { ExpandRules } from "./rules.ts";

/** Rules under which every file is one key with its own path and bytes, but for what is given. */
export function rulesOf(rules: Partial<ExpandRules> = {}): ExpandRules {
  return {
    prefix: "",
    sourceRoot: "",
    expand: false,
    dropExtensions: false,
    lists: "index",
    invalid: "refuse",
    trim: false,
    ...rules,
  };
}
