/** `*` stands for any characters but `/`, `**` for any, `?` for one that is no `/`; the rest stands for itself. */
export function branchMatcher(patterns: readonly string[]): (branch: string) => boolean {
  const expressions = patterns.map((pattern) => new RegExp(`^${expressionOf(pattern)}$`, "su"));
  return (branch) => expressions.some((one) => one.test(branch));
}

function expressionOf(pattern: string): string {
  const parts = pattern.split(/(\*{2,}|\*|\?)/u);
  return parts
    .map((part) => {
      if (part.startsWith("**")) return ".*";
      if (part === "*") return "[^/]*";
      return part === "?" ? "[^/]" : part.replace(/[\\^$.*+?()[\]{}|/]/gu, "\\$&");
    })
    .join("");
}
