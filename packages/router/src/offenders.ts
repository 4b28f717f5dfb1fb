/**
 * Splits items into those that are good together and those that are not: an item whose addition makes a good set bad is an
 * offender. Asks about as often as there are offenders times the logarithm of the items.
 *
 * @param isGood of a set; asked of ever larger ones. @param items in order of preference.
 */
export async function withoutOffenders<T>(
  items: readonly T[],
  isGood: (set: readonly T[]) => Promise<boolean>,
): Promise<{ readonly good: readonly T[]; readonly offenders: readonly T[] }> {
  let good: readonly T[] = [];
  const offenders: T[] = [];
  async function add(part: readonly T[]): Promise<void> {
    if (part.length === 0) return;
    if (await isGood([...good, ...part])) {
      good = [...good, ...part];
      return;
    }
    if (part.length === 1) {
      offenders.push(...part);
      return;
    }
    const half = Math.ceil(part.length / 2);
    await add(part.slice(0, half));
    await add(part.slice(half));
  }
  await add(items);
  return { good, offenders };
}
