/**
 * Wakes a loop at each hint, until the hints end. Never rejects: a port's watch retries inside and ends with its signal, and
 * where a broken one ends before, the loop's interval still wakes it.
 */
export async function wakeAtEach(hints: AsyncIterable<unknown>, wake: () => void): Promise<void> {
  try {
    for await (const _ of hints) wake();
  } catch {
    // Hints only.
  }
}
