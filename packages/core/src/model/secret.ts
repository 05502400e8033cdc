import { inspect } from "node:util";

const HIDDEN = "[secret]";

/** A value that never prints: not in logs, JSON, errors or inspections. `reveal()` is the only way to it. */
export class Secret {
  readonly #value: string;
  #missing: Error | null = null;

  constructor(value: string) {
    this.#value = value;
  }

  /** One that cannot be had here: `reveal()` throws that error. */
  static missing(why: Error): Secret {
    const none = new Secret("");
    none.#missing = why;
    return none;
  }

  /** @throws HW_ROLE_SUBMIT, HW_NOT_FOUND where it cannot be had: only secrets that a task gave back */
  reveal(): string {
    if (this.#missing !== null) throw this.#missing;
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  static {
    Object.defineProperty(this.prototype, inspect.custom, { value: () => HIDDEN });
  }
}

/** Marks a string as a secret, for options and connection settings. */
export function secret(value: string): Secret {
  return new Secret(value);
}
