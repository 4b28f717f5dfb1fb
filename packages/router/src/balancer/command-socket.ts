import { createConnection } from "node:net";
import { SluiceError } from "@sluice/core";

const ANSWER_MS = 10_000;
const LARGEST_ANSWER = 64 * 1024 * 1024;

/**
 * One exchange with a command socket of HAProxy: commands separated by `;`, the answer until it closes
 * (https://docs.haproxy.org/2.6/management.html, 9.3).
 * @throws BALANCER_FAILED where nobody answers.
 */
export async function askSocket(path: string, commands: string, signal: AbortSignal): Promise<string> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  try {
    return await exchange(path, commands, until);
  } catch (cause) {
    signal.throwIfAborted();
    const why = (cause as { code?: string }).code ?? "no answer in time";
    throw new SluiceError("BALANCER_FAILED", `HAProxy does not answer on ${path}: ${why}`);
  }
}

function exchange(path: string, commands: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const socket = createConnection({ path });
    const stop = () => socket.destroy(new Error("aborted"));
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    socket.on("connect", () => socket.end(`${commands}\n`));
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > LARGEST_ANSWER) socket.destroy(new Error("too long an answer"));
    });
    socket.on("error", reject);
    socket.on("close", () => {
      signal.removeEventListener("abort", stop);
      resolve(Buffer.concat(chunks).toString("utf8"));
    });
  });
}
