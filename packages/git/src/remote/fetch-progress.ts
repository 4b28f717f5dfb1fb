const RECEIVED = /(?:Receiving|Unpacking) objects: .*?, ([\d.]+) (bytes|KiB|MiB|GiB)/g;
const UNITS: Readonly<Record<string, number>> = { bytes: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/**
 * Reads from what `git fetch --progress` says how many bytes have come, whichever transport brought them:
 * `Receiving objects:  45% (450/1000), 12.34 MiB | 3.10 MiB/s`.
 */
export function receivedBytes(tell: (bytes: number) => void): (stderr: string) => void {
  let rest = "";
  return (stderr) => {
    rest = (rest + stderr).slice(-2000);
    for (const [, count, unit] of rest.matchAll(RECEIVED)) tell(Number(count) * (UNITS[unit ?? ""] ?? 1));
    rest = rest.slice(Math.max(rest.lastIndexOf("\r"), rest.lastIndexOf("\n")) + 1);
  };
}
