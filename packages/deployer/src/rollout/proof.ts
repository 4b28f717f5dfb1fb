import type { Proof } from "@sluice/core";
import type { RecordWriter } from "../records/record-writer.ts";

/** A proof of leadership for a scheduler's write, whose own failure is told from the scheduler's. */
export interface WriteProof {
  readonly proof: Proof;
  /** Throws what the proof failed with: it was the KV then, and the scheduler was sent nothing. */
  throwIfUnproven(): void;
}

export function writeProof(writer: RecordWriter): WriteProof {
  let failed: { readonly error: unknown } | undefined;
  return {
    async proof() {
      try {
        await writer.prove();
      } catch (error) {
        failed = { error };
        throw error;
      }
    },
    throwIfUnproven() {
      if (failed) throw failed.error;
    },
  };
}
