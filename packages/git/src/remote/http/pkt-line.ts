import { SluiceError } from "@sluice/core";

/** One packet of Git's protocols: a line, or a mark between them. */
export type Packet = Buffer | "flush" | "delimiter";

const MARKS: Readonly<Record<string, Packet>> = { "0000": "flush", "0001": "delimiter" };

/** Four hexadecimal digits of length, themselves included, and the line. */
export function encodePackets(packets: readonly (string | "flush" | "delimiter")[]): string {
  return packets
    .map((one) => {
      if (one === "flush") return "0000";
      if (one === "delimiter") return "0001";
      return (Buffer.byteLength(one) + 4).toString(16).padStart(4, "0") + one;
    })
    .join("");
}

/**
 * An answer taken apart, whole or not at all: an answer that was cut short would look like one that names fewer branches.
 * @throws GIT_FAILED where a packet is malformed or cut short, or the last one is no flush.
 */
export function decodePackets(bytes: Buffer): Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length; ) {
    const head = bytes.toString("latin1", at, at + 4);
    const mark = MARKS[head];
    const length = /^[0-9a-f]{4}$/i.test(head) ? Number.parseInt(head, 16) : 0;
    if (mark === undefined && (length < 4 || at + length > bytes.length)) throw malformed();
    packets.push(mark ?? bytes.subarray(at + 4, at + length));
    at += mark === undefined ? length : 4;
  }
  if (packets.at(-1) !== "flush") throw malformed();
  return packets;
}

function malformed(): SluiceError {
  return new SluiceError("GIT_FAILED", "the server's answer is cut short or is not Git's protocol");
}
