/** A whole stream of `PUMP`. */
export interface Unpacked {
  readonly bytes: Buffer;
  /** `ENDED SEEN GIVEN`; null where the stream broke off. */
  readonly end: string | null;
}

const ALIVE = 0xffffffff;

/** Pure: what was in the frames of a short stream. */
export function unpackFrames(stream: Buffer): Unpacked {
  const parts: Buffer[] = [];
  for (let at = 0; at + 4 <= stream.length;) {
    const size = stream.readUInt32BE(at);
    at += 4;
    if (size === ALIVE) continue;
    if (size === 0) {
      const newline = stream.indexOf(10, at);
      return { bytes: Buffer.concat(parts), end: newline < 0 ? null : stream.toString("latin1", at, newline) };
    }
    parts.push(stream.subarray(at, at + size));
    at += size;
  }
  return { bytes: Buffer.concat(parts), end: null };
}
