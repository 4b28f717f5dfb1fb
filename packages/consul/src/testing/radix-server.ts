import {
  type Answer,
  absentAnswer,
  keyAnswer,
  type ScriptedConsul,
  scriptedConsul,
} from "./scripted-consul.ts";

export interface RadixServer extends ScriptedConsul {
  /** The key's text now; undefined: it does not exist. */
  text(): string | undefined;
  /** Writes the key; undefined removes it. */
  write(text: string | undefined): void;
  /** Writes another key, under the same parent. */
  writeNear(): void;
  /** How many questions are held open. */
  held(): number;
}

/** A server with the key "a", that answers a question for the key while it does not exist at every write near it, as Consul does. */
export async function radixServer(): Promise<RadixServer> {
  let index = 1;
  let entry: { readonly text: string; readonly at: number } | undefined;
  let held: (() => void)[] = [];
  const server = await scriptedConsul(async ({ query }) => {
    while (query.index !== undefined && (entry?.at ?? index) <= Number(query.index))
      await new Promise<void>((resolve) => held.push(resolve));
    return answer();
  });

  function answer(): Answer {
    return entry ? keyAnswer("a", entry.text, entry.at) : absentAnswer(index);
  }
  function wake() {
    index += 1;
    const woken = held;
    held = [];
    for (const one of woken) one();
  }
  return {
    ...server,
    text: () => entry?.text,
    write(text) {
      entry = text === undefined ? undefined : { text, at: index + 1 };
      wake();
    },
    writeNear: wake,
    held: () => held.length,
  };
}
