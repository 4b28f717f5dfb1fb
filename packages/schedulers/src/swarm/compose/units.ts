const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1_000,
  µs: 1_000,
  ms: 1_000_000,
  s: 1_000_000_000,
  m: 60_000_000_000,
  h: 3_600_000_000_000,
};

/** A Compose duration, `1m30s` or `500ms`, in nanoseconds; undefined: it is none. */
export function nanoseconds(text: string): number | undefined {
  if (text === "0") return 0;
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    sum += Number(amount) * (NANOSECONDS[unit ?? ""] ?? 0);
  return Math.round(sum);
}

/** A Compose size, `50M`, `1gb` or a number of bytes, in bytes; undefined: it is none. */
export function bytes(size: string | number): number | undefined {
  const found = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(String(size).trim());
  if (!found) return undefined;
  const power = ["", "k", "m", "g", "t"].indexOf((found[2] ?? "").toLowerCase());
  return Math.round(Number(found[1]) * 1024 ** power);
}

/** A command as a shell would take it apart; undefined: a quote is left open. */
export function shellWords(command: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < command.length; at++) {
    const char = command[at] as string;
    if (char === "\\" && quote !== "'") word = (word ?? "") + (command[++at] ?? "");
    else if (quote !== "") {
      if (char === quote) quote = "";
      else word = (word ?? "") + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= "";
    } else if (!/\s/.test(char)) word = (word ?? "") + char;
    else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  if (quote !== "") return undefined;
  return word === undefined ? words : [...words, word];
}

/** Modes that `0o400` and its like become in decimal, and that read as octal digits are none anybody means. */
const AMBIGUOUS = new Set([256, 416, 420, 432, 436, 511]);

/**
 * A file mode. Compose files write octal digits, `0440`, which YAML 1.2 reads as the decimal number 440.
 * Undefined: it is none, or cannot be told from another.
 */
export function fileMode(mode: string | number): number | undefined {
  const digits = String(mode).replace(/^0o?/, "");
  if (typeof mode === "number" && AMBIGUOUS.has(mode)) return undefined;
  return /^[0-7]{1,4}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}
