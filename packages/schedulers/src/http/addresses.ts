import type { Clock } from "@sluice/core";

/** Which of a scheduler's addresses to ask first. */
export interface AddressBook {
  /** Every address once: the one that answered last, then the others as they were given, those that failed lately at the end. */
  order(): readonly string[];
  answered(address: string): void;
  failed(address: string): void;
}

/** How long an address that failed stands behind the others. */
const SHUN_MS = 30_000;

export function addressBook(addresses: readonly string[], clock: Clock): AddressBook {
  const shunnedUntil = new Map<string, number>();
  let preferred = addresses[0];
  return {
    order() {
      const now = clock.now();
      const rank = (address: string) => {
        if ((shunnedUntil.get(address) ?? 0) > now) return 2;
        return address === preferred ? 0 : 1;
      };
      return [...new Set(addresses)].sort((a, b) => rank(a) - rank(b));
    },
    answered(address) {
      preferred = address;
      shunnedUntil.delete(address);
    },
    failed(address) {
      shunnedUntil.set(address, clock.now() + SHUN_MS);
    },
  };
}
