/** A signal that aborts with others. */
export interface LinkedAbort {
  signal: AbortSignal;
  abort(): void;
  /** Lets go of the sources and of the timer; to be called when the signal is of no more use. */
  release(): void;
}

/**
 * Aborts when one of the sources does, or by the machine's clock after `timeoutMs`. `AbortSignal.any` would leave a
 * trace in every source for as long as that lives, which for a server is for ever.
 */
export function linkedAbort(sources: readonly AbortSignal[], timeoutMs?: number): LinkedAbort {
  const controller = new AbortController();
  const timer = timeoutMs === undefined ? undefined : setTimeout(abort, timeoutMs);
  function abort(): void {
    release();
    controller.abort();
  }
  function release(): void {
    clearTimeout(timer);
    for (const source of sources) source.removeEventListener("abort", abort);
  }
  for (const source of sources) source.addEventListener("abort", abort);
  if (sources.some((source) => source.aborted)) abort();
  return { signal: controller.signal, abort, release };
}
