import type { ObjectId } from "@sluice/core";
import type { BatchAnswer } from "./batch-output.ts";
import type { DamagedObject } from "./object-reader.ts";

export interface Question {
  readonly oids: readonly ObjectId[];
  readonly want: "size" | "content";
}

export type Answer =
  | BatchAnswer
  | { readonly kind: "damaged"; readonly error: DamagedObject }
  | { readonly kind: "broken"; readonly line: string };

/** What one child was asked and did not answer yet, the oldest first. */
export interface Questions {
  /** The answers in the order asked; after one that is `damaged` or `broken` there are none. */
  add(question: Question): Promise<readonly Answer[]>;
  waiting(): boolean;
  /** Whether what is answered now is a size. */
  headerOnly(): boolean;
  answer(one: BatchAnswer): void;
  /** Ends the oldest question with what is to be said of the object it waits for. */
  end(last: (oid: ObjectId | undefined) => Answer): void;
  rejectAll(error: Error): void;
}

interface Asked extends Question {
  readonly got: Answer[];
  readonly resolve: (answers: readonly Answer[]) => void;
  readonly reject: (error: unknown) => void;
}

export function questions(): Questions {
  const waiting: Asked[] = [];

  function next(): void {
    const first = waiting.shift();
    first?.resolve(first.got);
  }

  return {
    add: (question) =>
      new Promise((resolve, reject) => waiting.push({ ...question, got: [], resolve, reject })),
    waiting: () => waiting.length > 0,
    headerOnly: () => waiting[0]?.want === "size",
    answer(one) {
      const first = waiting[0];
      if (first?.got.push(one) === first?.oids.length) next();
    },
    end(last) {
      const first = waiting[0];
      first?.got.push(last(first.oids[first.got.length]));
      next();
    },
    rejectAll(error) {
      for (const { reject } of waiting.splice(0)) reject(error);
    },
  };
}
