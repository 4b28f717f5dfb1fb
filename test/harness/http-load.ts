import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface HttpLoadOptions {
  readonly port: number;
  /** The host that is asked for. */
  readonly host: string;
  /** Default: 8. */
  readonly clients?: number;
  /** A client's pause after each answer, in milliseconds; default: 5. */
  readonly pauseMs?: number;
}

/** What the clients saw. */
export interface HttpLoadResult {
  readonly asked: number;
  /** Everything that was not a whole answer with status 200. */
  readonly failures: readonly string[];
  /** Each different answer, with the time (`Date.now()`) when it was first heard. */
  readonly heard: ReadonlyMap<string, number>;
}

/** Clients that ask again and again on connections they keep. */
export interface HttpLoad {
  result(): HttpLoadResult;
  /** Resolves once every client has its last answer. */
  stop(): Promise<HttpLoadResult>;
}

export function httpLoad({ port, host, clients = 8, pauseMs = 5 }: HttpLoadOptions): HttpLoad {
  const stopping = new AbortController();
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const failures: string[] = [];
  const heard = new Map<string, number>();
  let asked = 0;
  async function client() {
    while (!stopping.signal.aborted) {
      try {
        const { status, text } = await ask({ port, host, agent });
        if (status !== 200) failures.push(`${status} ${text}`);
        else if (!heard.has(text)) heard.set(text, Date.now());
      } catch (error) {
        failures.push(String(error));
      }
      asked += 1;
      await sleep(pauseMs);
    }
  }
  const running = Promise.all(Array.from({ length: clients }, client));
  const result = () => ({ asked, failures, heard });
  return {
    result,
    async stop() {
      stopping.abort();
      await running;
      agent.destroy();
      return result();
    },
  };
}

/** One whole answer. Rejects where the connection breaks or the body is shorter than it should be. */
export function ask({
  port,
  host,
  agent = false,
}: {
  readonly port: number;
  readonly host: string;
  readonly agent?: Agent | false;
}): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, agent, headers: { host } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      answer.once("error", reject);
      answer.once("end", () => resolve({ status: answer.statusCode ?? 0, text: text.trim() }));
    });
    call.once("error", reject);
    call.setTimeout(30_000, () => call.destroy(new Error("no answer within 30 s")));
    call.end();
  });
}
