import { messageOf } from "@sluice/core";

/** Remembers how to undo what was started, and undoes it in the opposite order. */
export interface Closers {
  add(name: string, close: () => Promise<void> | void): void;
  /** Closes everything, also when some of it fails; resolves with a sentence for each failure. Safe to call twice. */
  closeAll(): Promise<readonly string[]>;
}

export function closers(): Closers {
  const stack: { name: string; close: () => Promise<void> | void }[] = [];
  return {
    add: (name, close) => void stack.push({ name, close }),
    async closeAll() {
      const failures: string[] = [];
      for (let one = stack.pop(); one; one = stack.pop()) {
        try {
          await one.close();
        } catch (error) {
          failures.push(`${one.name}: ${messageOf(error)}`);
        }
      }
      return failures;
    },
  };
}
