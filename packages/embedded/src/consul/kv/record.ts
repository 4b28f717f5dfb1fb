/** One key of the KV as it lies in the store. */
export interface KvRecord {
  createIndex: number;
  modifyIndex: number;
  lockIndex: number;
  /** Unsigned, 64 bits. */
  flags: bigint;
  /** Id of the session that holds the lock, or "". */
  session: string;
  value: Buffer;
}

const HEADER = 33;

export function encodeRecord(record: KvRecord): Buffer {
  const session = record.session.length;
  const encoded = Buffer.allocUnsafe(HEADER + session + record.value.length);
  encoded.writeDoubleBE(record.createIndex, 0);
  encoded.writeDoubleBE(record.modifyIndex, 8);
  encoded.writeDoubleBE(record.lockIndex, 16);
  encoded.writeBigUInt64BE(record.flags, 24);
  encoded.writeUInt8(session, 32);
  encoded.write(record.session, HEADER, "latin1");
  record.value.copy(encoded, HEADER + session);
  return encoded;
}

export function decodeRecord(encoded: Buffer): KvRecord {
  const value = HEADER + encoded.readUInt8(32);
  return {
    createIndex: encoded.readDoubleBE(0),
    modifyIndex: recordIndex(encoded),
    lockIndex: encoded.readDoubleBE(16),
    flags: encoded.readBigUInt64BE(24),
    session: encoded.toString("latin1", HEADER, value),
    value: encoded.subarray(value),
  };
}

/** The ModifyIndex alone, for scans that need no more. */
export function recordIndex(encoded: Buffer): number {
  return encoded.readDoubleBE(8);
}

/** Consul's JSON of one key. Written by hand because `Flags` may exceed what a JavaScript number holds. */
export function recordJson(key: string, record: KvRecord, withValue = true): string {
  const value = withValue && record.value.length > 0 ? `"${record.value.toString("base64")}"` : "null";
  const session = record.session ? `"Session":"${record.session}",` : "";
  return (
    `{"LockIndex":${record.lockIndex},"Key":${JSON.stringify(key)},"Flags":${record.flags},"Value":${value},` +
    `${session}"CreateIndex":${record.createIndex},"ModifyIndex":${record.modifyIndex}}`
  );
}

/** Whether a write would change nothing; then ModifyIndex stays and nobody is woken. */
export function sameContent(a: KvRecord, b: KvRecord): boolean {
  return (
    a.lockIndex === b.lockIndex && a.flags === b.flags && a.session === b.session && a.value.equals(b.value)
  );
}
