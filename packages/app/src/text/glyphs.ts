/** What leads a line: work begins, done, in progress or waiting, failed. */
export const GLYPH = { begin: "►", done: "✔", wait: "◎", fail: "✗" } as const;
