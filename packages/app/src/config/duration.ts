/** For people: `350ms`, `2.1s`, `3m 20s`, `4h 5m`, `3d 2h`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)}s`;
  const steps: readonly (readonly [number, string, number, string])[] = [
    [86_400_000, "d", 3_600_000, "h"],
    [3_600_000, "h", 60_000, "m"],
    [60_000, "m", 1_000, "s"],
  ];
  for (const [big, bigName, small, smallName] of steps) {
    if (ms >= big) return `${Math.floor(ms / big)}${bigName} ${Math.floor((ms % big) / small)}${smallName}`;
  }
  return `${Math.round(ms)}ms`;
}
