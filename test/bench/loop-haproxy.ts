import { createConnection } from "node:net";

/** Maintenance and drain, for any reason but that the file began so; bits of `srv_admin_state`. */
const AWAY = 0x01 | 0x02 | 0x08 | 0x10 | 0x20 | 0x40;

/** The addresses that HAProxy sends traffic of a backend to, `host:port`. */
export async function readyServers(runtime: string, backend: string): Promise<readonly string[]> {
  const answer = await ask(runtime, "show servers state");
  return answer.split("\n").flatMap((line) => {
    const cells = line.split(" ");
    const [, name, , , address] = cells;
    const ready = name === backend && (Number(cells[6]) & AWAY) === 0;
    return ready ? [`${address}:${cells[18]}`] : [];
  });
}

async function ask(path: string, command: string): Promise<string> {
  const socket = createConnection({ path });
  socket.end(`${command}\n`);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}
