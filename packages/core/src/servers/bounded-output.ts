/** Keeps the head of a stream; what goes beyond is counted and dropped. */
export class BoundedOutput {
  readonly #limit: number;
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;
  #totalBytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Buffer): void {
    this.#totalBytes += chunk.length;
    const room = this.#limit - this.#keptBytes;
    if (room <= 0) return;
    // A copy of the part: a slice would keep the whole chunk in memory.
    const part = chunk.length <= room ? chunk : Buffer.from(chunk.subarray(0, room));
    this.#kept.push(part);
    this.#keptBytes += part.length;
  }

  get truncated(): boolean {
    return this.#totalBytes > this.#keptBytes;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#kept, this.#keptBytes);
  }
}
