const FIRST_BYTES = 4096;

/**
 * Keeps the head of a stream; what goes beyond is counted and dropped. Chunks are copied into one buffer: kept as they come,
 * a stream of single bytes would take a hundred times its size, and a slice all that it was cut from.
 */
export class BoundedOutput {
  readonly #limit: number;
  #kept: Buffer = Buffer.allocUnsafeSlow(0);
  #keptBytes = 0;
  #totalBytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Buffer): void {
    this.#totalBytes += chunk.length;
    const room = this.#limit - this.#keptBytes;
    if (room <= 0) return;
    const part = chunk.length <= room ? chunk : chunk.subarray(0, room);
    this.#makeRoom(this.#keptBytes + part.length);
    part.copy(this.#kept, this.#keptBytes);
    this.#keptBytes += part.length;
  }

  /** Bytes so far, with those that were dropped. */
  get total(): number {
    return this.#totalBytes;
  }

  /** Bytes that it holds in memory. */
  get held(): number {
    return this.#kept.length;
  }

  get truncated(): boolean {
    return this.#totalBytes > this.#keptBytes;
  }

  bytes(): Buffer {
    return this.#kept.subarray(0, this.#keptBytes);
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#kept.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#limit, Math.max(bytes, 2 * this.#kept.length, FIRST_BYTES)));
    this.#kept.copy(larger, 0, 0, this.#keptBytes);
    freeBytes(this.#kept);
    this.#kept = larger;
  }
}

/** Gives the memory of bytes that nobody has any more back at once: a collection may be far. */
export function freeBytes(bytes: Buffer): void {
  (bytes.buffer as ArrayBuffer).transfer(0);
}
