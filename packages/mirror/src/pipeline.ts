/** Tasks under way side by side, a few at a time. */
export interface Pipeline {
  /**
   * Starts the task as soon as there is room. After one that was refused or failed none is started any more: then this waits
   * for those under way, and returns false or throws the failure.
   */
  start(task: () => Promise<boolean>): Promise<boolean>;
  /** Waits for all that were started; false where one was refused. @throws the first failure. */
  drain(): Promise<boolean>;
}

/** @param atOnce how many tasks may be under way. A task returns false where it was refused. */
export function pipeline(atOnce: number): Pipeline {
  const running = new Set<Promise<void>>();
  let refused = false;
  let failure: { readonly error: unknown } | undefined;

  async function run(task: () => Promise<boolean>): Promise<void> {
    try {
      if (!(await task())) refused = true;
    } catch (error) {
      failure ??= { error };
    }
  }
  async function drain(): Promise<boolean> {
    await Promise.all(running);
    if (failure) throw failure.error;
    return !refused;
  }
  return {
    drain,
    async start(task) {
      while (running.size >= atOnce && !refused && !failure) await Promise.race(running);
      if (refused || failure) return drain();
      const one = run(task).finally(() => running.delete(one));
      running.add(one);
      return true;
    },
  };
}
