const MARK = Buffer.from("\x1ehostwright ");
/** What a login shell's own start-up files may print before the wrapper speaks. */
const MAX_NOISE = 16 * 1024;
const MAX_DIGITS = 12;

/** Takes the wrapper's first line out of a command's output, with whatever a login shell printed before it. */
export class SessionMarker {
  /** The remote session's id; null when the command ended without telling it. */
  readonly session: Promise<number | null>;
  #tell: (session: number | null) => void = () => {};
  #held: Buffer | null = Buffer.alloc(0);

  constructor() {
    this.session = new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  /** Output of the command itself in this chunk. */
  take(chunk: Buffer): Buffer {
    if (this.#held === null) return chunk;
    const seen = Buffer.concat([this.#held, chunk]);
    const start = seen.indexOf(MARK);
    const digits = start + MARK.length;
    const end = start < 0 ? -1 : seen.indexOf(10, digits);
    if (end > 0) return this.#found(Number(seen.toString("latin1", digits, end)), seen.subarray(end + 1));
    const hopeless = start < 0 ? seen.length > MAX_NOISE : seen.length - digits > MAX_DIGITS;
    if (hopeless) return this.#found(null, seen);
    this.#held = seen;
    return Buffer.alloc(0);
  }

  /** What was quarantined, once no more comes. */
  end(): Buffer {
    const held = this.#held ?? Buffer.alloc(0);
    return this.#found(null, held);
  }

  #found(session: number | null, rest: Buffer): Buffer {
    this.#held = null;
    this.#tell(session);
    return rest;
  }
}
