/**
 * Takes turns at questions that are held open. Consul accepts 200 connections from one address
 * (`limits.http_max_conns_per_client`), which all programs of a machine share with its agent.
 */
export interface Turns {
  /** A watch begins, and ends with a call of what is returned. */
  join(): () => void;
  /** Resolves when a question may be asked; what it resolves to is called when it is answered. Rejects when the signal aborts. */
  enter(signal: AbortSignal): Promise<() => void>;
  /** How long a question may be held open, in milliseconds: the less the more watches there are. */
  holdMs(): number;
}

export interface TurnsOptions {
  /** Questions held open at the same time. */
  readonly most: number;
  /** How long where nobody has to wait for a turn, in milliseconds. */
  readonly holdMs: number;
}

/** While turns are short of, a watch hears of a change after one round: with 400 watches and 96 turns, about four seconds. */
const HURRIED_MS = 1_000;
/** While they are about to become so, those that hold a turn give it up soon enough. */
const GETTING_FULL_MS = 10_000;

export function takeTurns({ most, holdMs }: TurnsOptions): Turns {
  const queue = new Set<() => void>();
  let watches = 0;
  let held = 0;

  function leave() {
    const [next] = queue;
    if (next) {
      queue.delete(next);
      next();
    } else held -= 1;
  }
  function once(work: () => void): () => void {
    let done = false;
    return () => {
      if (!done) work();
      done = true;
    };
  }

  return {
    join() {
      watches += 1;
      return once(() => {
        watches -= 1;
      });
    },
    async enter(signal) {
      signal.throwIfAborted();
      if (held < most) held += 1;
      else await ownTurn(queue, signal);
      return once(leave);
    },
    holdMs() {
      if (watches > most) return Math.min(holdMs, HURRIED_MS);
      return watches > most / 2 ? Math.min(holdMs, GETTING_FULL_MS) : holdMs;
    },
  };
}

function ownTurn(queue: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const called = () => {
      signal.removeEventListener("abort", aborted);
      resolve();
    };
    const aborted = () => {
      queue.delete(called);
      reject(signal.reason as Error);
    };
    queue.add(called);
    signal.addEventListener("abort", aborted, { once: true });
  });
}
